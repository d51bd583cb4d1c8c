/**
 * Resolves the name of a server to all of its addresses.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Dns from "node:dns"
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

/** One server of an SRV record. */
interface SrvRecord {
  readonly name: string
  readonly port: number
}

type LookupSrv = (name: string) => Effect.Effect<ReadonlyArray<SrvRecord>, unknown>

/**
 * The servers of an SRV record, by their names and without a scheme. Priorities and weights are not looked at: a client tries
 * all servers in random order.
 */
export const resolveSrv = (
  name: string,
  lookup: LookupSrv = systemLookupSrv
): Effect.Effect<ReadonlyArray<ServerAddress.ServerAddress>, TransportError> => {
  const fail = (cause: unknown) => Effect.fail(new TransportError({ server: name, reason: "Resolve", cause }))
  return lookup(name).pipe(
    Effect.catch(fail),
    Effect.flatMap((records) => {
      const servers = records
        .map(({ name, port }) => ({ host: name.replace(/\.$/, ""), port }))
        // The root as a target says that there is no such service.
        .filter(({ host, port }) => host !== "" && port > 0)
      return servers.length === 0 ? fail(new Error("the record names no server")) : Effect.succeed(servers)
    })
  )
}

/** By way of `promises`, whose functions `setServers` of the application replaces. */
const systemLookupSrv: LookupSrv = (name) =>
  Effect.tryPromise({ try: () => Dns.promises.resolveSrv(name), catch: (cause) => cause })

const systemLookup: Lookup = (host) =>
  Effect.map(
    Effect.tryPromise({ try: () => Dns.promises.lookup(host, { all: true }), catch: (cause) => cause }),
    // A hosts file may give the same address twice.
    (found) => [...new Set(found.map(({ address }) => address))]
  )
