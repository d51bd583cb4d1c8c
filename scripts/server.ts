/**
 * `npx -y pnpm@12 server`: the embedded ZooKeeper by itself, until Ctrl-C. No JVM, nothing on disk.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Flag from "effect/cli/Flag"
import { runCommand, text, type Values } from "./runCommand.ts"
import { fail, StepFailed } from "./steps.ts"

const flags = {
  // Texts, so that an invalid number is reported in one line instead of with the whole help.
  port: text("port", "number", "The client port (default: any that is free)", "0"),
  host: text(
    "host",
    "address",
    "The address to listen on (default: 127.0.0.1; 0.0.0.0 for all that can reach this machine, with --super)",
    "127.0.0.1"
  ),
  tick: text("tick", "milliseconds", "tickTime (default: 2000); sessions last from two of them to twenty", "2000"),
  members: text(
    "members",
    "number",
    "On how many ports to listen, as if they were servers of an ensemble (default: 1)",
    "1"
  ),
  super: Flag.Redacted("super").pipe(
    Flag.withMetavar("user:password"),
    Flag.withDescription("The super user, of the scheme digest (default: super:secret), or none"),
    Flag.withDefault(Redacted.make("super:secret"))
  )
}

const serve = Effect.fnUntraced(function* (config: Values<typeof flags>) {
  const port = yield* wholeNumber("port", config.port, 0, 65_535)
  const tickTime = yield* wholeNumber("tick", config.tick, 1, 60_000)
  const members = yield* wholeNumber("members", config.members, 1, 32)
  const superDigest = yield* digestOf(config.super)
  const { host } = config
  const running = yield* Layer.build(EmbeddedServer.layer({ port, host, tickTime, members, superDigest })).pipe(
    Effect.mapError((error) =>
      error.reason === "WellKnownSuperUser" ? new StepFailed({ message: beyond(host) }) : error
    )
  )
  // The one line on stdout, for scripts.
  yield* Console.log(Context.get(running, EmbeddedServer.EmbeddedServer).connectString)
  yield* Console.error(
    "An embedded ZooKeeper, in memory: it answers as Apache ZooKeeper 3.8 does, for tests and for trying things out. It " +
      "keeps nothing: what is written is gone when it stops.\n" +
      `${superDigest === null ? "There is no super user." : superUser(superDigest)} Ctrl-C stops it.`
  )
  yield* Effect.addFinalizer(() => Console.error("Stopped: all that was written is gone."))
  return yield* Effect.never
}, Effect.scoped)

const wholeNumber = (name: string, text: string, least: number, most: number) =>
  /^\d{1,6}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? Effect.succeed(Number(text))
    : fail(`--${name} ${text}: expected a whole number from ${least} to ${most}`)

/** Null for no super user. */
const digestOf = (credentials: Redacted.Redacted<string>) => {
  const text = Redacted.value(credentials)
  if (text === "none") return Effect.succeed(null)
  return /^[^:]+:./.test(text)
    ? Effect.succeed(Acl.digestIdOf(Redacted.make(new TextEncoder().encode(text))))
    : fail("--super: expected user:password, such as super:secret, or none")
}

const superUser = (digest: string): string =>
  `The super user is ${digest.slice(0, digest.indexOf(":"))} (scheme digest).`

const beyond = (host: string): string =>
  `--host ${host}: every client that reaches it could do everything as the well-known super user super:secret; add --super ` +
  "user:password with a password of your own, or --super none"

runCommand(
  "server",
  "Runs the embedded ZooKeeper by itself, prints its connect string, and stops on Ctrl-C. It speaks the real protocol to " +
    "clients of any language and keeps nothing. `zookeeper` runs a real one.",
  flags,
  serve
)
