/**
 * The engine of the fuzz tests: inputs by a seed, and the rules that hold for each of them whatever is tested.
 *
 * A target has valid inputs and a function that takes any. Random inputs, mutations of valid
 * ones and valid ones as they are go through it. It may accept or refuse; it must not throw, go on for long, or make much
 * more of the input than its size. What else must hold (round trips, no byte read beyond the end) the target itself says.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import { choices, type Choose, mutate, noise } from "./Mutation.ts"

/** Where an input comes from. A valid one must be accepted. */
export type Origin = "valid" | "mutated" | "noise"

/** The outcome of a harmless input. */
export type Verdict = "accepted" | "refused"

/** Something that takes bytes of other programs. */
export interface Target {
  readonly name: string
  /** Valid inputs; not empty. */
  readonly corpus: ReadonlyArray<Uint8Array>
  /** Throws when something is wrong that only the target can know. `choose` belongs to the input. */
  readonly run: (input: Uint8Array, choose: Choose, origin: Origin) => Verdict
  /** Whether valid inputs may be refused for what they mean. */
  readonly judges?: boolean | undefined
  /** Bytes that it may use whatever the input; 256 KiB if left out. */
  readonly allowance?: number | undefined
}

/** An input that breaks a rule. */
export class FuzzFailed extends Schema.TaggedError<FuzzFailed>()("FuzzFailed", {
  target: Schema.String,
  /** Of this input: `replay` makes it again. */
  seed: Schema.Number,
  problem: Schema.String,
  hex: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {
  override get message(): string {
    return `${this.target}, seed ${this.seed}: ${this.problem}\ninput ${this.hex === "" ? "(empty)" : this.hex}`
  }
}

/** The counts of a run. */
export interface Figures {
  readonly target: string
  readonly cases: number
  readonly accepted: number
  /** Milliseconds that it took. */
  readonly elapsed: number
}

/** Inputs between two turns of the host. */
const BATCH = 500

/** Milliseconds: what a batch may take at most, before it is taken for one that never ends. */
const HANG = 60_000

/** How often an input that took much is looked at again; much is what it takes in half of them. */
const MEASURES = 4

/** Milliseconds of this process that one input may take. */
const SLOW = 50

/** Bytes that may be made of each byte of an input, garbage included. */
const PER_BYTE = 64

/** Bytes that may be used besides. */
const ALLOWANCE = 256 * 1024

/** Bytes of noise. */
const MOST_NOISE = 4096

/** Puts so many inputs of a seed through a target; fails with the first that breaks a rule. */
export const run = Effect.fnUntraced(function* (
  target: Target,
  options: { readonly cases: number; readonly seed: number }
): Effect.fn.Return<Figures, FuzzFailed> {
  const { cases } = options
  const state = { index: 0, accepted: 0 }
  const first = mix(options.seed, target.name)
  const batch = () => {
    const end = Math.min(state.index + BATCH, cases)
    for (; state.index < end; state.index++) {
      if (one(target, (first + state.index) >>> 0) === "accepted") state.accepted++
    }
  }
  // Only V8 itself can stop a loop that never ends.
  const script = new Vm.Script("batch()")
  const context = Vm.createContext({ batch })
  const start = performance.now()
  while (state.index < cases) {
    yield* Effect.try({
      try: () => void script.runInContext(context, { timeout: HANG }),
      catch: (cause) => {
        if (cause instanceof FuzzFailed) return cause
        const seed = (first + state.index) >>> 0
        return failure(target, seed, `it did not come to an end within ${HANG} ms`, cause)
      }
    })
    yield* Effect.yieldNow
  }
  return { target: target.name, cases, accepted: state.accepted, elapsed: performance.now() - start }
})

/** Puts the one input of a seed through a target. */
export const replay = (target: Target, seed: number): Effect.Effect<Verdict, FuzzFailed> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(one(target, seed))
    } catch (error) {
      if (error instanceof FuzzFailed) return Effect.fail(error)
      throw error
    }
  })

/** The input of a seed. */
export const inputOf = (
  target: Target,
  seed: number
): { readonly input: Uint8Array; readonly origin: Origin; readonly choose: Choose } => {
  const choose = choices(seed)
  const pick = () => target.corpus[choose(target.corpus.length)]!
  const draw = choose(16)
  if (draw === 0) return { input: noise(MOST_NOISE, choose), origin: "noise", choose }
  if (draw === 1) return { input: pick(), origin: "valid", choose }
  return { input: mutate(pick(), pick(), choose), origin: "mutated", choose }
}

/** Throws when a rule does not hold; the problem is for people. */
export const must = (holds: boolean, problem: string): void => {
  if (!holds) throw new Broken(problem)
}

/** Runs an effect that never waits. Its error must be of the types that it declares; then this gives undefined. */
export const runTyped = <A, E>(effect: Effect.Effect<A, E>, isTyped: (error: E) => boolean): A | undefined => {
  const exit = Effect.runSyncExit(effect)
  if (Exit.isSuccess(exit)) return exit.value
  const error = exit.cause.reasons[0]
  must(error?._tag === "Fail" && isTyped(error.error), `it died: ${Cause.pretty(exit.cause)}`)
  return undefined
}

// ---- internal

class Broken extends Error {}

const one = (target: Target, seed: number): Verdict => {
  const first = measure(target, seed)
  if (!first.isMuch) return first.verdict
  // A compilation in between is no fault of the input, and does not happen again; a collection in between hides what
  // was used.
  const again = Array.from({ length: MEASURES }, () => measure(target, seed))
  const much = again.filter(({ isMuch }) => isMuch)
  const [worst] = much
  if (worst !== undefined && much.length * 2 >= MEASURES) {
    const { bytes, length, time } = worst
    throw failure(target, seed, `it took ${time.toFixed(0)} ms and ${bytes} bytes for ${length} bytes`)
  }
  return first.verdict
}

const measure = (target: Target, seed: number) => {
  const { choose, input, origin } = inputOf(target, seed)
  const length = input.length
  const before = used()
  const start = worked()
  let verdict: Verdict
  try {
    verdict = target.run(input, choose, origin)
  } catch (error) {
    const problem = error instanceof Broken ? error.message : `it threw ${String(error)}`
    throw failure(target, seed, problem, error)
  }
  const time = worked() - start
  const bytes = used() - before
  if (origin === "valid" && verdict === "refused" && target.judges !== true) {
    throw failure(target, seed, "a valid input was refused")
  }
  const most = length * PER_BYTE + (target.allowance ?? ALLOWANCE)
  return { verdict, length, time, bytes, isMuch: time > SLOW || bytes > most }
}

/** Milliseconds that this process has worked: how busy the machine is does not count. */
const worked = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** The sizes of the heap and the buffers, garbage included, which only a collection makes less. */
const used = (): number => {
  const { external_memory, used_heap_size } = V8.getHeapStatistics()
  return used_heap_size + external_memory
}

const failure = (target: Target, seed: number, problem: string, cause?: unknown) =>
  new FuzzFailed({
    target: target.name,
    seed,
    problem,
    hex: Buffer.from(inputOf(target, seed).input).toString("hex"),
    ...(cause === undefined ? {} : { cause })
  })

const mix = (seed: number, name: string): number => {
  let mixed = seed | 0
  for (let i = 0; i < name.length; i++) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193)
  return choices(mixed)(0x7fffffff)
}
