/** An ensemble of three real ZooKeeper servers for a test, any of which can be killed and started again. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as FaultProxy from "./FaultProxy.ts"
import { certificatesFor } from "./internal/server/certificates.ts"
import { freePorts } from "./internal/server/ports.ts"
import { dynamicConfig, type Member, UNCHANGED } from "./internal/server/serverConfig.ts"
import { inRealTime, makeInstance, withFreshPorts } from "./internal/server/serverInstance.ts"
import * as TemporaryFolder from "./TemporaryFolder.ts"
import { type ZooKeeperNotFound, ZooKeeperServerError } from "./ZooKeeperError.ts"
import * as ZooKeeperInstall from "./ZooKeeperInstall.ts"
import type { Options, Tls, ZooKeeperServer } from "./ZooKeeperServer.ts"

export interface EnsembleOptions extends Options {
  /** How many servers; 3 by default. */
  readonly size?: number | undefined
  /**
   * How many more servers there are, which do not run and are not members: for reconfigurations that add them. Default
   * 0.
   */
  readonly spares?: number | undefined
  /**
   * Whether the members speak with each other through proxies that can be cut, as `isolate` does. Such an ensemble cannot
   * be reconfigured, for every member knows the others by addresses of its own. Default false.
   */
  readonly links?: boolean | undefined
  /**
   * Whether each member has the list of all in its `zoo.cfg`, which releases before 3.5 need. Such an ensemble cannot be
   * reconfigured. Default false.
   */
  readonly staticMembers?: boolean | undefined
}

export interface ZooKeeperEnsemble {
  /** In the order of their ids, whatever their state. */
  readonly servers: ReadonlyArray<ZooKeeperServer>
  /**
   * Servers that are not members yet, with the arguments of `reconfigure` that add them. They know the members of the
   * beginning, so `launch` them while one of those still is.
   */
  readonly spares: ReadonlyArray<{ readonly server: ZooKeeperServer; readonly joining: string }>
  /** All members, comma-separated. */
  readonly connectString: string
  /** Present if the ensemble was made with `tls`; its connect string names every secure port. */
  readonly tls: Tls | undefined
  /** The member that leads now; fails if none does, as during an election. */
  readonly leader: Effect.Effect<ZooKeeperServer, ZooKeeperServerError>
  /** The members that follow now. */
  readonly followers: Effect.Effect<ReadonlyArray<ZooKeeperServer>>
  /**
   * Waits until one member leads and `serving` members in all serve: more than half by default. Fails after the option
   * `startTimeout`.
   */
  readonly awaitQuorum: (serving?: number) => Effect.Effect<void, ZooKeeperServerError>
  /** Cuts a member off from the others, not from its clients: nothing arrives, in either direction. Needs `links`. */
  readonly isolate: (server: ZooKeeperServer) => Effect.Effect<void>
  /** Lets all members speak with each other again. */
  readonly rejoin: Effect.Effect<void>
}

/** Starts an ensemble and waits until all its members serve. */
export const make = Effect.fnUntraced(function* (
  options: EnsembleOptions = {}
): Effect.fn.Return<ZooKeeperEnsemble, ZooKeeperNotFound | ZooKeeperServerError, Scope.Scope> {
  const install = yield* ZooKeeperInstall.find
  return yield* withFreshPorts(
    Effect.gen(function* () {
      const size = options.size ?? 3
      const folder = yield* TemporaryFolder.make("zookeeper-")
      const certificates = yield* certificatesFor(options, folder)
      const numbers = yield* freePorts(4 * (size + (options.spares ?? 0)))
      const all = Array.from({ length: numbers.length / 4 }, (_, index): Member => {
        const [client = 0, secure = 0, quorum = 0, election = 0] = numbers.slice(4 * index)
        return { id: index + 1, ports: { client, secure, quorum, election } }
      })
      const members = all.slice(0, size)
      const links = options.links === true ? yield* linksBetween(members) : []
      const instances = yield* Effect.forEach(all, (member) => {
        const own = Path.join(folder, `server-${member.id}`)
        Fs.mkdirSync(own)
        return makeInstance({
          ...member,
          folder: own,
          root: folder,
          install,
          options: links.length === 0 ? options : { ...options, config: [...(options.config ?? []), UNCHANGED] },
          isStatic: options.staticMembers === true,
          members: members.includes(member) ? seenBy(member, members, links) : [...members, member],
          certificates
        })
      })
      const servers = instances.slice(0, size)
      const spares = instances.slice(size).map((server, index) => ({
        server,
        joining: dynamicConfig([all[size + index]!]).trim()
      }))
      const ensemble = fromServers(servers, spares, links, options)
      yield* Effect.forEach(servers, (server) => server.launch)
      yield* Effect.forEach(servers, (server) => server.awaitMode(), { concurrency: "unbounded" })
      yield* ensemble.awaitQuorum(size)
      return ensemble
    }),
    2
  )
})

/** The way of one member to another. */
interface Link {
  readonly from: number
  readonly to: number
  readonly quorum: FaultProxy.FaultProxy
  readonly election: FaultProxy.FaultProxy
}

/**
 * Open connections fall silent; new ones are reset, as a server that hears nothing of them answers none. The port stays
 * taken: were they refused, another process might take it meanwhile.
 */
const cut = (proxy: FaultProxy.FaultProxy) => Effect.andThen(proxy.blackHole("both"), proxy.accept("reset"))

/**
 * A proxy for each way of one member to another. Of two members the one with the higher id keeps the connection for
 * elections: it hangs up on the other, and calls back where that says it is. That has to be a proxy, too. A follower of
 * a new leader tries for five seconds to reach it, as that may not listen yet; were it reset instead of refused, it
 * would vote again, alone.
 */
const linksBetween = Effect.fnUntraced(function* (
  members: ReadonlyArray<Member>
): Effect.fn.Return<ReadonlyArray<Link>, never, Scope.Scope> {
  const links: Array<Link> = []
  const inTheProxysName = (from: Member, to: Member) => (bytes: Uint8Array) => {
    const back = links.find((link) => link.from === to.id && link.to === from.id)
    return back === undefined ? bytes : withPort(bytes, from.ports.election, back.election.port)
  }
  for (const from of members) {
    for (const to of members) {
      if (from === to) continue
      links.push({
        from: from.id,
        to: to.id,
        quorum: yield* FaultProxy.make(onLoopback(to.ports.quorum), { raw: true, targetPatience: "5 seconds" }),
        election: yield* FaultProxy.make(onLoopback(to.ports.election), {
          raw: true,
          editGreeting: inTheProxysName(from, to)
        })
      })
    }
  }
  return links
})

const onLoopback = (port: number): FaultProxy.Target => ({ host: "127.0.0.1", port })

/** An address of this machine in what a member says of itself, with another port; all ports have five digits. */
const withPort = (bytes: Uint8Array, port: number, other: number): Uint8Array =>
  Buffer.from(Buffer.from(bytes).toString("latin1").replace(`127.0.0.1:${port}`, `127.0.0.1:${other}`), "latin1")

const seenBy = ({ id }: Member, members: ReadonlyArray<Member>, links: ReadonlyArray<Link>): ReadonlyArray<Member> =>
  members.map((member) => {
    const link = links.find(({ from, to }) => from === id && to === member.id)
    if (link === undefined) return member
    return { id: member.id, ports: { ...member.ports, quorum: link.quorum.port, election: link.election.port } }
  })

const fromServers = (
  servers: ReadonlyArray<ZooKeeperServer>,
  spares: ZooKeeperEnsemble["spares"],
  links: ReadonlyArray<Link>,
  options: EnsembleOptions
): ZooKeeperEnsemble => {
  const connectString = servers.map((server) => server.connectString).join(",")
  const failed = (action: string, reason: string) =>
    new ZooKeeperServerError({ server: `ZooKeeper ensemble ${connectString}`, action, reason })
  const modes = Effect.forEach(servers, (server) => Effect.map(server.mode, (mode) => ({ server, mode })), {
    concurrency: "unbounded"
  })
  const describe = Effect.map(modes, (all) => all.map(({ mode, server }) => `${server.port} is ${mode}`).join(", "))
  const tls = servers[0]?.tls

  return {
    servers,
    spares,
    connectString,
    isolate: ({ id }) =>
      Effect.forEach(
        links.filter(({ from, to }) => from === id || to === id),
        ({ election, quorum }) => Effect.andThen(cut(election), cut(quorum)),
        { discard: true }
      ),
    rejoin: Effect.forEach(links, ({ election, quorum }) => Effect.andThen(election.heal, quorum.heal), {
      discard: true
    }),
    tls: tls === undefined ? undefined : { ...tls, connectString: servers.map((s) => s.tls?.connectString).join(",") },
    leader: Effect.gen(function* () {
      const all = yield* modes
      const leader = all.find(({ mode }) => mode === "leader")
      if (leader === undefined) return yield* failed("find the leader", yield* describe)
      return leader.server
    }),
    followers: Effect.map(modes, (all) => all.filter(({ mode }) => mode === "follower").map(({ server }) => server)),
    awaitQuorum: (serving = Math.floor(servers.length / 2) + 1) =>
      modes.pipe(
        Effect.map(
          (all) =>
            // A leader that was cut off or stood still believes for a moment that it still leads.
            all.filter(({ mode }) => mode === "leader").length === 1 &&
            all.filter(({ mode }) => mode === "leader" || mode === "follower").length >= serving
        ),
        Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("100 millis") }),
        Effect.asVoid,
        Effect.timeoutOrElse({
          duration: options.startTimeout ?? "30 seconds",
          orElse: () => Effect.flatMap(describe, (state) => failed(`wait for ${serving} serving members`, state))
        }),
        inRealTime
      )
  }
}
