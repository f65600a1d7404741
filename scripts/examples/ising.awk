# The two-dimensional Ising model by Metropolis' rule, periodic, from all spins up.
#   awk -v T=2.27 -v L=16 -v seed=1 -v warm=200 -v sweeps=400 -f ising.awk
BEGIN {
  srand(seed)
  n = L * L
  for (i = 0; i < n; i++) s[i] = 1
  # A flip that costs energy is taken with exp(-dE/T): dE is 4 or 8.
  w[4] = exp(-4 / T)
  w[8] = exp(-8 / T)
  M = n
  E = -2 * n
  for (t = 1; t <= warm + sweeps; t++) {
    for (k = 0; k < n; k++) {
      i = int(rand() * n)
      x = i % L
      y = i - x
      around = s[y + (x + 1) % L] + s[y + (x + L - 1) % L] + s[(i + L) % n] + s[(i + n - L) % n]
      d = 2 * s[i] * around
      if (d <= 0 || rand() < w[d]) {
        s[i] = -s[i]
        M += 2 * s[i]
        E += d
      }
    }
    if (t > warm) {
      m = M < 0 ? -M / n : M / n
      sum += m
      squares += m * m
      energy += E / n
    }
  }
  mean = sum / sweeps
  printf "{\"m\": %.6f, \"chi\": %.6f, \"energy\": %.6f}\n", \
    mean, n * (squares / sweeps - mean * mean) / T, energy / sweeps
}
