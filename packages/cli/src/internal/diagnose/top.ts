/** `zk top`: the members live, in place. */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as Diagnosis from "../../Diagnosis.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import { UsageError } from "../frame/errors.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { followMembers, intervalOf, makeAsk, withinOf } from "./network.ts"
import { makeLooks, type Sample } from "./looks.ts"
import { kept, render } from "./topView.ts"

export interface Input {
  readonly interval: string
  /** Left out: until it is ended. */
  readonly count: number | undefined
  readonly adminPort: number | undefined
  readonly discover: boolean
  readonly within: string
}

/** On a terminal a picture that is drawn anew, and with JSON an item for each sample. */
export const top = Effect.fnUntraced(function* (input: Input) {
  const { isTerminal, mode } = yield* Printer
  if (mode === "text" && !isTerminal) {
    return yield* new UsageError({ message: "top needs a terminal; use `zk status`, or --ndjson, for a script" })
  }
  const timeout = yield* withinOf(input.within)
  const interval = yield* intervalOf(input.interval)
  const servers = yield* followMembers(input.discover, () => Effect.void)
  const ask = yield* makeAsk(input.adminPort, timeout)
  const repeated = <A, E, R>(look: Effect.Effect<A, E, R>) => {
    const all = Stream.fromEffectSchedule(look, Schedule.fixed(interval))
    return input.count === undefined ? all : Stream.take(all, input.count)
  }
  // Each item has what all members say: one that hangs is waited for.
  if (mode !== "text")
    return yield* printAll(Diagnosis.Status, repeated(whole(servers, ask)), () => "", { isLive: true })
  yield* live(repeated(makeLooks(servers, ask, interval)))
})

// ---- internal

const whole = (servers: () => ReadonlyArray<ServerAddress>, ask: MemberStatus.Ask) =>
  Effect.gen(function* () {
    const members = yield* MemberStatus.askAllBy(servers(), ask)
    return { time: yield* Clock.currentTimeMillis, members }
  })

const enter = "\u001b[?1049h\u001b[?25l"
const leave = "\u001b[?25h\u001b[?1049l"

/** Draws each sample, and anew where the window changes. It ends with the samples, or with the keys q, Esc, Ctrl-C, Ctrl-D. */
const live = Effect.fnUntraced(function* <E, R>(samples: Stream.Stream<Sample, E, R>) {
  const { style, write } = yield* Printer
  const terminal = yield* Terminal.Terminal
  yield* Effect.acquireRelease(write(enter), () => Effect.ignore(write(leave)))
  const past: Array<Sample> = []
  const draw = Effect.gen(function* () {
    const size = { columns: (yield* terminal.columns) || 80, rows: (yield* terminal.rows) || 24 }
    const lines = render(past, size, style)
    // Each line is cleared behind its text, and what is below the last one, so that nothing flickers.
    yield* write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`)
  })
  const sizes = yield* terminal.size
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(sizes), draw)))
  const keys = yield* terminal.readInput
  // Esc, Ctrl-C and Ctrl-D end the queue.
  const pressed = Effect.ignore(
    Effect.repeat(Queue.take(keys), { until: ({ key }) => key.name === "q" || (key.ctrl && key.name === "c") })
  )
  const drawn = Stream.runForEach(samples, (sample) => {
    past.push(sample)
    if (past.length > kept) past.shift()
    return draw
  })
  yield* Effect.raceFirst(drawn, pressed)
})
