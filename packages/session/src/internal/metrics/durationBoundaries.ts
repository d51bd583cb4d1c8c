/** The upper bounds of the buckets in which durations of requests are counted, in seconds. */
export const durationBoundaries: ReadonlyArray<number> = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25
]
