/**
 * One real ZooKeeper server for a test: started on free loopback ports in a temporary folder, and always stopped.
 *
 * It ends with the Scope that it was made in, and also when this process dies without closing it. All waiting is in real
 * time, under a TestClock too. Every feature that costs nothing is on: all four-letter words, TTL nodes, reconfiguration,
 * read-only mode, the super user `super:secret`, containers collected within a second.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { certificatesFor } from "./internal/server/certificates.ts"
import type { ServerOptions, ZooKeeperServer } from "./internal/server/model.ts"
import { freePorts } from "./internal/server/ports.ts"
import { makeInstance, withFreshPorts } from "./internal/server/serverInstance.ts"
import * as TemporaryFolder from "./TemporaryFolder.ts"
import type { ZooKeeperNotFound, ZooKeeperServerError } from "./ZooKeeperError.ts"
import * as ZooKeeperInstall from "./ZooKeeperInstall.ts"

export { freePorts } from "./internal/server/ports.ts"
export type { Mode, Tls, TlsSettings, Options, ServerOptions, ZooKeeperServer } from "./internal/server/model.ts"

/** Starts a server and waits until it serves. */
export const make = Effect.fnUntraced(function* (
  options: ServerOptions = {}
): Effect.fn.Return<ZooKeeperServer, ZooKeeperNotFound | ZooKeeperServerError, Scope.Scope> {
  const install = yield* ZooKeeperInstall.find
  return yield* withFreshPorts(
    Effect.gen(function* () {
      const folder = yield* TemporaryFolder.make("zookeeper-")
      const certificates = yield* certificatesFor(options, folder)
      const [client = 0, secure = 0, quorum = 0, election = 0] = yield* freePorts(4)
      const ports = { client: options.port ?? client, secure, quorum, election }
      const members = options.quorum === true ? [{ id: 1, ports }] : undefined
      const server = yield* makeInstance({
        id: 1,
        folder,
        root: folder,
        ports,
        install,
        options,
        members,
        certificates
      })
      yield* server.start
      return server
    }),
    options.port === undefined ? 2 : 0
  )
})
