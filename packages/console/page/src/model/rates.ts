/** How fast queues grow or shrink, over the last minute. */

const window = 60_000

interface Sample {
  readonly time: number
  readonly items: number
}

export const makeRates = () => {
  const items = new Map<string, number>()
  const samples = new Map<string, ReadonlyArray<Sample>>()
  return {
    /** The length of a queue that is new or different. */
    see: (path: string, now: number): void => void items.set(path, now),
    forget: (path: string): void => {
      items.delete(path)
      samples.delete(path)
    },
    clear: (): void => {
      items.clear()
      samples.clear()
    },
    /** All queues were looked at: one that was not seen anew has the length from before. */
    looked: (time: number): void => {
      for (const [path, length] of items) {
        const before = samples.get(path) ?? []
        samples.set(path, [...before.filter((sample) => time - sample.time <= window), { time, items: length }])
      }
    },
    /** Items a minute, below 0 where a queue shrinks; undefined for one that was looked at only once. */
    of: (path: string): number | undefined => {
      const [first, ...others] = samples.get(path) ?? []
      const last = others.at(-1)
      return first === undefined || last === undefined || last.time <= first.time
        ? undefined
        : ((last.items - first.items) / (last.time - first.time)) * 60_000
    }
  }
}
