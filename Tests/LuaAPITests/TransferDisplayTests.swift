import HPCClient
import HomeFiles
import ObjectStore
import Testing

@testable import LuaAPI

@Suite struct TransferDisplayTests {
  @Test(arguments: [
    (0, "0 B"), (1023, "1.0 KiB"), (999, "999 B"), (1536, "1.5 KiB"), (10 << 20, "10.0 MiB"),
    (1 << 30, "1.0 GiB"), (1_047_527_424, "999 MiB"),
  ])
  func bytesAreReadable(_ count: Int, _ text: String) {
    #expect(TransferText.bytes(Int64(count)) == text)
  }

  @Test func aLineTellsHowFarItIs() {
    let progress = TransferProgress(
      files: 3, filesTotal: 12, bytes: 5 << 20, bytesTotal: 10 << 20, path: "x")
    #expect(
      TransferDisplay.text(
        "push d", .moving(progress), moving: .seconds(5), inStep: .zero, width: 100)
        == "push d [##########..........] 50%  3/12 files  5.0 MiB of 10.0 MiB  1.0 MiB/s  5 s left"
    )
    #expect(
      TransferDisplay.text(
        "pull d", .syncing(path: "d", .toOnline), moving: .zero, inStep: .seconds(7), width: 100)
        == "pull d  the machine copies d to the bucket … 7 s")
  }

  @Test(arguments: [
    (90, "push d [##########..........] 50%  3/12 files  5.0 MiB of 10.0 MiB  1.0 MiB/s  5 s left"),
    (79, "push d 50%  3/12 files  5.0 MiB of 10.0 MiB  1.0 MiB/s  5 s left"),
    (60, "push d 50%  5.0 MiB of 10.0 MiB  1.0 MiB/s  5 s left"),
  ])
  func aNarrowTerminalKeepsWhatMatters(width: Int, text: String) {
    let progress = TransferProgress(
      files: 3, filesTotal: 12, bytes: 5 << 20, bytesTotal: 10 << 20, path: "x")
    #expect(
      TransferDisplay.text(
        "push d", .moving(progress), moving: .seconds(5), inStep: .zero, width: width) == text)
  }

  @Test func sizesThatCannotBeTrapNothing() {
    let progress = TransferProgress(
      files: 0, filesTotal: 2, bytes: 1, bytesTotal: .max, path: "x")
    for seconds in [1.0, 1e9] {
      let text = TransferDisplay.text(
        "pull d", .moving(progress), moving: .seconds(seconds), inStep: .zero, width: 200)
      #expect(text.hasPrefix("pull d [....................] 0%  0/2 files  1 B of"))
    }
  }

  @Test func emptyFilesCountAsFiles() {
    let progress = TransferProgress(
      files: 1, filesTotal: 2, bytes: 0, bytesTotal: 0, path: "x")
    #expect(
      TransferDisplay.text("push d", .moving(progress), moving: .zero, inStep: .zero, width: 100)
        == "push d [##########..........] 50%  1/2 files  0 B of 0 B")
  }
}
