/**
 * The steps that each client has to run in the benchmark.
 */
import type { Latencies } from "./measure.ts"

/** The requests of one measured stretch. */
export type Step = { readonly count: number; readonly inFlight: number } & (
  | {
      /** Reads one znode, or the names of its children, over and over. */
      readonly op: "get" | "children"
      readonly path: string
    }
  | {
      /** Acts on `<root>/0`, `<root>/1`, ...; written data are `dataSize` bytes. A watch is left by a read of the data. */
      readonly op: "create" | "set" | "delete" | "watch"
      readonly root: string
    }
  | {
      /** Creates `<root>/0`, ... in transactions of `size`. */
      readonly op: "transaction"
      readonly root: string
      readonly size: number
    }
)

/** A connected client. */
export interface Contestant {
  /** Prepares a step; the returned function runs it, and is measured. */
  readonly prepare: (step: Step) => (latencies: Latencies) => Promise<void>
  /** Waits for the events of all watches that were set; called before any of them fires. */
  readonly allFired: () => Promise<void>
  /** Sends the request until it is answered, across lost connections. */
  readonly getOnce: (path: string) => Promise<void>
  /** Ends the session. */
  readonly close: () => Promise<void>
}

/** `"host:port"` or a list of them. Gives a client that has a session. */
export type Connect = (servers: string) => Promise<Contestant>

/** Bytes of what create, set and transactions write. */
export const dataSize = 100

/** The session timeout that all ask for, in milliseconds: the floor sends no heartbeats. */
export const sessionTimeout = 600_000

/** So that the workload alone says how many requests are in flight: the client's default limit is 1,000. */
export const maxInFlight = 100_000

/** The paths of a step that has a root; none of another one. */
export const pathsOf = (step: Step): ReadonlyArray<string> =>
  "root" in step ? Array.from({ length: step.count }, (_, index) => `${step.root}/${index}`) : []

/** The requests of a step; a transaction is one. */
export const requestsOf = (step: Step): number =>
  step.op === "transaction" ? Math.ceil(step.count / step.size) : step.count

/** One request of a step; `done` is called with its error, if it has one. */
export type Ask = (index: number, done: (error?: unknown) => void) => void

/** The part of a peer with callbacks that is its own. */
interface CallbackPeer {
  /** The requests of a step; a watch that it sets calls `onFired`. */
  readonly prepare: (step: Step, onFired: () => void) => Ask
  readonly get: (path: string, done: (error?: unknown) => void) => void
  readonly close: () => Promise<void>
}

/** A client that is driven through callbacks. */
export const makeCallbackContestant = ({ close, get, prepare }: CallbackPeer): Contestant => {
  const watches = { set: 0, fired: 0, onAllFired: () => {} }
  const onFired = (): void => {
    if (++watches.fired === watches.set) watches.onAllFired()
  }
  return {
    prepare: (step) => {
      if (step.op === "watch") watches.set = step.count
      const ask = prepare(step, onFired)
      return (latencies) => drive(requestsOf(step), step.inFlight, latencies, ask)
    },
    allFired: () =>
      new Promise((resolve) => {
        watches.fired = 0
        watches.onAllFired = resolve
      }),
    getOnce: (path) =>
      new Promise((resolve) => {
        const again = () => void setImmediate(ask)
        const ask = (): void => {
          try {
            get(path, (error) => (error ? again() : resolve()))
          } catch {
            // A client may throw while it has no connection.
            again()
          }
        }
        ask()
      }),
    close
  }
}

/** So many requests at a time. */
const drive = (count: number, inFlight: number, latencies: Latencies, ask: Ask): Promise<void> =>
  new Promise((resolve, reject) => {
    let next = 0
    let answered = 0
    const start = (): void => {
      const index = next++
      const begun = latencies.begin(index)
      ask(index, (error) => {
        latencies.end(begun)
        if (error !== undefined && error !== null)
          return reject(error instanceof Error ? error : new Error(String(error)))
        answered++
        if (next < count) start()
        else if (answered === count) resolve()
      })
    }
    while (next < Math.min(inFlight, count)) start()
  })
