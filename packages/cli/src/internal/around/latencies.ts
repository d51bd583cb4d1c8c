/** How long requests took, in milliseconds. */
import type * as Output from "../../Output.ts"

/** The times of one operation. It keeps a count for each of some thousand intervals, which grow by two in a hundred. */
export class Latencies {
  private readonly counts: Array<number> = []
  private requests = 0
  private sum = 0
  private max = 0
  private sumOfLast = 0
  private requestsOfLast = 0

  add(millis: number): void {
    const bucket = bucketOf(millis)
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.requests++
    this.sum += millis
    this.sumOfLast += millis
    this.requestsOfLast++
    if (millis > this.max) this.max = millis
  }

  /** The mean of those since the last call; 0 without any. */
  meanOfLast(): number {
    const mean = this.requestsOfLast === 0 ? 0 : this.sumOfLast / this.requestsOfLast
    this.sumOfLast = this.requestsOfLast = 0
    return mean
  }

  summary(operation: string, seconds: number): typeof Output.BenchResult.Type {
    const { max, requests, sum } = this
    return {
      operation,
      requests,
      rate: round(seconds === 0 ? 0 : requests / seconds),
      mean: round(requests === 0 ? 0 : sum / requests),
      p50: this.percentile(0.5),
      p95: this.percentile(0.95),
      p99: this.percentile(0.99),
      max: round(max)
    }
  }

  /** At most two in a hundred above the exact one. */
  private percentile(part: number): number {
    let left = Math.ceil(this.requests * part)
    for (const [bucket, count = 0] of this.counts.entries()) {
      left -= count
      if (left <= 0 && count > 0) return round(Math.min(endOf(bucket), this.max))
    }
    return 0
  }
}

// ---- internal

/** Of an interval whose end is 0.01 ms, each next one ends two in a hundred later. */
const growth = Math.log(1.02)

const bucketOf = (millis: number): number => Math.max(0, Math.ceil(Math.log(Math.max(millis, 0.01) / 0.01) / growth))

const endOf = (bucket: number): number => 0.01 * Math.exp(bucket * growth)

const round = (value: number): number => Math.round(value * 1000) / 1000
