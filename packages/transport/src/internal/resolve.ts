/**
 * Resolves the name of a server to all of its addresses.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Dns from "node:dns/promises"
import * as Net from "node:net"
import * as ServerAddress from "../ServerAddress.ts"
import { TransportError } from "../TransportError.ts"

type Lookup = (host: string) => Effect.Effect<ReadonlyArray<string>, unknown>

/** In random order, so that the clients of one name spread over its addresses. An IP address is its own answer. */
export const resolve = (
  server: ServerAddress.ServerAddress,
  lookup: Lookup = systemLookup
): Effect.Effect<ReadonlyArray<ServerAddress.ServerAddress>, TransportError> => {
  if (Net.isIP(server.host) !== 0) return Effect.succeed([server])
  const fail = (cause: unknown) =>
    Effect.fail(new TransportError({ server: ServerAddress.format(server), reason: "Resolve", cause }))
  return lookup(server.host).pipe(
    Effect.catch(fail),
    Effect.flatMap((hosts) =>
      hosts.length === 0 ? fail(new Error("the name has no address")) : Random.shuffle(hosts)
    ),
    Effect.map((hosts) => hosts.map((host) => ({ ...server, host })))
  )
}

const systemLookup: Lookup = (host) =>
  Effect.map(
    Effect.tryPromise({ try: () => Dns.lookup(host, { all: true }), catch: (cause) => cause }),
    // A hosts file may give the same address twice.
    (found) => [...new Set(found.map(({ address }) => address))]
  )
