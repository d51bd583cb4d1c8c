import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Milliseconds. */
const FIRST_PAUSE = 100
const LAST_PAUSE = 60_000
const PROBE = 1000

/**
 * Looks for a server with a quorum while a read-only one serves. Completes when it has found one, which is then the next
 * to be tried. The pause between two questions doubles from 100 milliseconds to a minute, as in ZooKeeper's own client.
 */
export const findWritableServer = Effect.fnUntraced(function* (transport: Transport["Service"], list: ServerList) {
  let pause = FIRST_PAUSE
  for (let turn = 0; ; turn++) {
    yield* Effect.sleep(pause)
    const servers = yield* list.servers
    const server = servers[turn % servers.length] ?? servers[0]
    if ((yield* writeMode(transport, server)) === "rw") return yield* list.prefer(server)
    // One question to each server is a round; the pause grows by rounds, so that a long list is not searched slowly.
    if ((turn + 1) % servers.length === 0) pause = Math.min(pause * 2, LAST_PAUSE)
  }
})

/** The mode that a server says it is in: `rw`, `ro`, `null` while it does not serve; undefined if it does not answer. */
export const writeMode = (transport: Transport["Service"], server: ServerAddress): Effect.Effect<string | undefined> =>
  transport.resolve(server).pipe(
    Effect.flatMap(([address = server]) => FourLetterWord.ask(transport, address, server, "isro")),
    Effect.timeoutOption(PROBE),
    Effect.map(Option.match({ onNone: () => undefined, onSome: (answer) => answer.trim() })),
    Effect.catch(() => Effect.succeed(undefined))
  )
