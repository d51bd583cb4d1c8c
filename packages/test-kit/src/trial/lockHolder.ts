/**
 * A process that takes a lock and holds on to it, and says when: what it is told to is `{ servers, path, sessionTimeout }`,
 * as JSON. It prints `acquired <token>`, `stopped <microseconds of the monotonic clock>` when its guarded effect has been
 * interrupted, and, asked by a line of input, what becomes of a fenced write.
 */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What it is told. */
export const Orders = Schema.fromJsonString(
  Schema.Struct({
    servers: Schema.String,
    path: Schema.String,
    /** Milliseconds. */
    sessionTimeout: Schema.Number
  })
)

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const now = Effect.sync(() => Number(process.hrtime.bigint()) / 1000)

const program = Effect.gen(function* () {
  const { path, servers, sessionTimeout } = yield* Schema.decodeEffect(Orders)(process.argv[2] ?? "")
  const holding = Effect.gen(function* () {
    const lock = yield* Lock.make(path)
    let last: Held | undefined
    yield* lock
      .withLock((held) => {
        last = held
        return Effect.andThen(say(`acquired ${held.fencingToken}`), Effect.never).pipe(
          Effect.onInterrupt(() => Effect.flatMap(now, (at) => say(`stopped ${at}`)))
        )
      })
      .pipe(Effect.catchTag("LockLost", ({ reason }) => say(`lost ${reason}`)))
    yield* lineOfInput
    // As an application that does not know better would.
    const outcome = yield* Effect.match(last!.transaction([Op.setData(`${path}-resource`, "late")]), {
      onSuccess: () => "accepted",
      onFailure: ({ _tag }) => _tag
    })
    yield* say(`write ${outcome}`)
  })
  yield* holding.pipe(Effect.provide(ZooKeeper.layer({ servers, sessionTimeout })))
}).pipe(Effect.scoped)

const lineOfInput = Effect.callback<void>((resume) => {
  process.stdin.once("data", () => resume(Effect.void))
})

if (import.meta.main) NodeRuntime.runMain(program)
