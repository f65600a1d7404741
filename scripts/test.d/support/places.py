"""A folder with a sweep in it, driven by hpc against a simulator of its own."""
import collections
import os
import pathlib
import sqlite3
import subprocess

from support.harness import HPC, hpc

SWEEP = """
local s = hpc.sweep{
  name = "%(name)s", space = hpc.grid{ i = hpc.range(1, %(points)d) },
  script = "job.sh", outputs = { "r.txt" }, resources = { node = 1, elapse = "30m" },
  result = function(_, files) return { r = tonumber(files["r.txt"]) } end,
  %(more)s
}
%(end)s
"""

# Every payload leaves a mark outside of home, which hpc cannot write.
JOB = """#!/bin/sh
echo {{i}} >> %(marks)s
sleep %(seconds)s
%(body)s
echo $((i * i)) > r.txt
"""


class Place:
    """A folder with a sweep in it."""

    def __init__(self, path, sim, name="squares", points=6, more="", end="print(s:run())",
                 seconds=0, body=""):
        self.path, self.sim, self.name = pathlib.Path(path), sim, name
        self.marks = self.path / "marks"
        self.env = sim.env(self.path)
        self.write(points=points, more=more, end=end)
        self.job(seconds=seconds, body=body)

    def write(self, points=6, more="", end="print(s:run())"):
        text = SWEEP % {"name": self.name, "points": points, "more": more, "end": end}
        (self.path / "s.lua").write_text(text)

    def job(self, seconds=0, body=""):
        text = JOB % {"marks": self.marks, "seconds": seconds, "body": body}
        (self.path / "job.sh").write_text(text)

    def run(self, *words, **options):
        # From elsewhere: paths are relative to the Lua file.
        return hpc(*(words or (str(self.path / "s.lua"),)), env=self.env, cwd="/", **options)

    def start(self, *words):
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.env}
        return subprocess.Popen([HPC, *words, str(self.path / "s.lua")], env=env, text=True,
                                cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def marked(self):
        return collections.Counter(self.marks.read_text().split()) if self.marks.exists() else {}

    def journal(self):
        return sqlite3.connect(f"file:{self.path / (self.name + '.sweep')}?mode=ro", uri=True)


def once(points):
    return {str(i): 1 for i in range(1, points + 1)}
