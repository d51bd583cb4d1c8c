/**
 * An ensemble of three real ZooKeeper servers for a test, any of which can be killed and started again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { makeCertificates } from "./internal/certificates.ts"
import { freePorts } from "./internal/ports.ts"
import { inRealTime, inTemporaryFolder, makeInstance, withFreshPorts } from "./internal/serverInstance.ts"
import { ZooKeeperServerError } from "./ZooKeeperError.ts"
import type { ZooKeeperNotFound } from "./ZooKeeperError.ts"
import * as ZooKeeperInstall from "./ZooKeeperInstall.ts"
import type { Options, Tls, ZooKeeperServer } from "./ZooKeeperServer.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface EnsembleOptions extends Options {
  /** How many servers; 3 by default. */
  readonly size?: number | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ZooKeeperEnsemble {
  /** In the order of their ids, whatever their state. */
  readonly servers: ReadonlyArray<ZooKeeperServer>
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
}

/**
 * Starts an ensemble and waits until all its members serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: EnsembleOptions = {}
): Effect.Effect<ZooKeeperEnsemble, ZooKeeperNotFound | ZooKeeperServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const install = yield* ZooKeeperInstall.find
    return yield* withFreshPorts(
      Effect.gen(function* () {
        const size = options.size ?? 3
        const folder = yield* inTemporaryFolder
        const certificates =
          options.tls === undefined || options.tls === false ? undefined : yield* makeCertificates(folder)
        const numbers = yield* freePorts(4 * size)
        const members = Array.from({ length: size }, (_, index) => {
          const [client = 0, secure = 0, quorum = 0, election = 0] = numbers.slice(4 * index)
          return { id: index + 1, ports: { client, secure, quorum, election } }
        })
        const servers = yield* Effect.forEach(members, ({ id, ports }) => {
          const own = Path.join(folder, `server-${id}`)
          Fs.mkdirSync(own)
          return makeInstance({ id, folder: own, root: folder, ports, install, options, members, certificates })
        })
        const ensemble = fromServers(servers, options)
        yield* Effect.forEach(servers, (server) => server.launch)
        yield* Effect.forEach(servers, (server) => server.awaitMode(), { concurrency: "unbounded" })
        yield* ensemble.awaitQuorum(size)
        return ensemble
      }),
      2
    )
  })

const fromServers = (servers: ReadonlyArray<ZooKeeperServer>, options: EnsembleOptions): ZooKeeperEnsemble => {
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
    connectString,
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
            all.some(({ mode }) => mode === "leader") &&
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
