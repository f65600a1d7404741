# The two-dimensional Ising model by Wolff's clusters (Phys. Rev. Lett. 62, 361), periodic, from all
# spins up. A sweep is as many flipped spins as there are.
#   awk -v T=2.27 -v L=16 -v seed=1 -v warm=200 -v sweeps=400 -f ising.awk
BEGIN {
  srand(seed)
  n = L * L
  for (i = 0; i < n; i++) s[i] = 1
  join = 1 - exp(-2 / T)
  M = n
  while (flipped < (warm + sweeps) * n) {
    # A cluster grows from one spin over neighbours that are alike, and is turned as it grows.
    i = int(rand() * n)
    spin = s[i]
    s[i] = -spin
    stack[0] = i
    for (top = 1; top > 0; flipped++) {
      i = stack[--top]
      x = i % L
      y = i - x
      near[0] = y + (x + 1) % L
      near[1] = y + (x + L - 1) % L
      near[2] = (i + L) % n
      near[3] = (i + n - L) % n
      M -= 2 * spin
      for (k = 0; k < 4; k++) {
        j = near[k]
        if (s[j] == spin && rand() < join) {
          s[j] = -spin
          stack[top++] = j
        }
      }
    }
    if (flipped > warm * n && ++clusters % 4 == 0) {
      E = 0
      for (i = 0; i < n; i++) {
        x = i % L
        E -= s[i] * (s[i - x + (x + 1) % L] + s[(i + L) % n])
      }
      m = M < 0 ? -M / n : M / n
      sum += m
      squares += m * m
      energy += E / n
      count++
    }
  }
  mean = sum / count
  printf "{\"m\": %.6f, \"chi\": %.6f, \"energy\": %.6f}\n", \
    mean, n * (squares / count - mean * mean) / T, energy / count
}
