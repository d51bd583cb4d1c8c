/**
 * The cost of one stretch of work, for its process.
 */

/** One stretch; times of CPU are user and system together, of all threads of the process. */
export interface Sample {
  readonly operations: number
  readonly wallMicros: number
  readonly cpuMicros: number
  /** Microseconds; 0 where no latencies were taken. */
  readonly p50: number
  readonly p99: number
  /** Bytes. */
  readonly rss: number
  readonly heap: number
}

/** Latencies of some of the operations, so that taking them costs nothing that shows. */
export class Latencies {
  private readonly stride: number
  private readonly taken: Array<number> = []

  /** Takes the latency of every `stride`th operation; 0 for none. */
  constructor(stride: number) {
    this.stride = stride
  }

  begin(index: number): number {
    return this.stride > 0 && index % this.stride === 0 ? performance.now() : -1
  }

  end(begun: number): void {
    if (begun >= 0) this.taken.push(performance.now() - begun)
  }

  /** Microseconds. */
  percentile(share: number): number {
    const sorted = Float64Array.from(this.taken).toSorted()
    return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1000
  }
}

/**
 * Runs `work` and measures this process meanwhile. The heap is as the work before has left it: collected first, it would
 * have to grow again, and with some ten milliseconds of that a short stretch is no picture of what goes on for hours.
 */
export const measured = async (
  operations: number,
  latencies: Latencies,
  work: () => Promise<void>
): Promise<Sample> => {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const wallMicros = (performance.now() - begun) * 1000
  const { system, user } = process.cpuUsage(cpu)
  return {
    operations,
    wallMicros,
    cpuMicros: user + system,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
    rss: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed
  }
}
