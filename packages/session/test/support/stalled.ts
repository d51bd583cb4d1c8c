/**
 * A process of its own that holds an ephemeral znode and acts as its holder every few milliseconds, until it stands still
 * for longer than its session: by a loop of its own (`loop`), or because it is stopped from outside (`stop`).
 *
 * It prints `ready`, and when it is over what happened, in order, as JSON.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Session from "../../src/Session.ts"

const [, , servers = "", path = "", mode = "", timeout = ""] = process.argv
const SESSION = Number(timeout)

/** Milliseconds after which a turn that comes late is a standstill. */
const LATE = SESSION

const program = Effect.gen(function* () {
  const session = yield* Session.Session
  const clock = yield* Clock.Clock
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const log: Array<string> = []
  const note = (what: string) => {
    if (log.at(-1) !== what) log.push(what)
  }
  // On a busy machine the first sessions may end before they have begun.
  const create = session.request(Operations.create, { path, data: null, acl: Acl.open, flags: 1 }, path)
  yield* Effect.retry(
    Effect.catchTag(create, "NodeExists", () => Effect.void),
    { times: 20 }
  )
  const first = session.info.id
  yield* Effect.forkScoped(
    Effect.andThen(
      Effect.exit(session.info.ownership),
      Effect.sync(() => note("lost"))
    )
  )
  const standstill = { isOver: false }
  const hold = Effect.gen(function* () {
    let before = now()
    while (true) {
      yield* Effect.sleep(5)
      // Without a gap from one turn to the next: a process may be stopped anywhere.
      const since = before
      before = now()
      if (before - since > LATE) {
        note("stood still")
        standstill.isOver = true
        // A caller that asks at this very moment, before any packet was read, gets the right answer.
        const asking = yield* Effect.forkScoped(session.info.ownership, { startImmediately: true })
        note(asking.pollUnsafe()?._tag === "Failure" ? "owns nothing" : "owns")
      }
      // The checks that a holder makes before it acts.
      if (session.info.id === first && Number(session.info.deadline) / 1e6 > now()) note("held")
    }
  })
  yield* Effect.forkScoped(hold)
  yield* Effect.sleep(200)
  process.stdout.write("ready\n")
  if (mode === "loop") {
    const end = performance.now() + SESSION * 1.6
    while (performance.now() < end);
  }
  while (!standstill.isOver) yield* Effect.sleep(10)
  // A write of the new session, or of the old one if the server has kept it.
  const again = session.request(Operations.exists, { path: "/", watch: false }, "/")
  yield* Effect.retry(again, { times: 20 })
  const mine = yield* Effect.result(session.request(Operations.exists, { path, watch: false }, path))
  const isMine = mine._tag === "Success" && mine.success.stat.ephemeralOwner === session.info.id
  process.stdout.write(`${JSON.stringify({ log, isMine, isSame: session.info.id === first })}\n`)
}).pipe(Effect.scoped)

const layer = Session.layer({ servers, sessionTimeout: SESSION }).pipe(Layer.provide(Transport.layer()))

await Effect.runPromise(Effect.provide(program, layer))
