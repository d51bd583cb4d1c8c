/** `zk server`: the embedded ZooKeeper, until it is stopped. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Output from "../../Output.ts"
import { FileError, UsageError } from "../frame/errors.ts"
import { Printer, printOne } from "../output/Printer.ts"

export interface Input {
  readonly port: number
  readonly host: string
  readonly members: number
  readonly tick: number
}

export const server = Effect.fnUntraced(function* ({ host, members, port, tick }: Input) {
  const { note } = yield* Printer
  if (members === 0 || tick === 0) {
    return yield* new UsageError({ message: `--${members === 0 ? "members" : "tick"} must be 1 or more` })
  }
  const superDigest = yield* superUser
  const running = yield* Layer.build(
    EmbeddedServer.layer({ port, host, members, tickTime: tick, superDigest: superDigest ?? null })
  ).pipe(Effect.mapError((error) => new FileError({ message: error.message })))
  const { connectString } = Context.get(running, EmbeddedServer.EmbeddedServer)
  yield* printOne(Output.Listening, { servers: connectString }, ({ servers }) => `${servers}\n`)
  yield* note(
    "An embedded ZooKeeper, in memory: it answers as Apache ZooKeeper 3.8 does, for tests and for trying things out. " +
      "It keeps nothing. Ctrl-C stops it."
  )
  return yield* Effect.never
})

// ---- internal

/** The digest of the super user, by `ZK_SUPER`; without it there is none. */
const superUser: Effect.Effect<string | undefined, UsageError> = Config.option(Config.Redacted("ZK_SUPER")).pipe(
  Effect.mapError((error) => new UsageError({ message: error.message })),
  Effect.flatMap((credentials) => {
    if (Option.isNone(credentials)) return Effect.undefined
    const text = Redacted.value(credentials.value)
    return /^[^:]+:./.test(text)
      ? Effect.succeed(Acl.digestIdOf(Redacted.make(new TextEncoder().encode(text))))
      : Effect.fail(new UsageError({ message: "ZK_SUPER is not user:password" }))
  })
)
