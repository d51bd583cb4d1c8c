/**
 * The seam between a session and the network: how to reach one server and exchange bytes with it.
 *
 * A `Transport` knows nothing of sessions or frames. It resolves names, dials, moves bytes both ways, and says how a
 * write may be deferred so that the requests of one turn share one packet. `Transport.layer` dials over TCP and TLS;
 * the in-process server brings a transport without a socket.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Connection } from "./Connection.ts"
import type { ServerAddress } from "./ServerAddress.ts"
import type { TlsSource } from "./TlsOptions.ts"
import type { TransportError } from "./TransportError.ts"

export type { Connection } from "./Connection.ts"

/**
 * `plain`: whoever is between. `unverified`: whoever takes part in it, for the certificate is not checked. `verified`: nobody
 * but the owner of the certificate.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectionSecurity = "plain" | "unverified" | "verified"

/**
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<
  Transport,
  {
    /** The connect string to use when an application names no servers, if this transport has one. */
    readonly defaultServers: string | undefined
    /**
     * Whether what the transport was given can be used, as far as that shows without a server. Asked once, before the first
     * connection.
     */
    readonly check?: Effect.Effect<void, InvalidArgument> | undefined
    /** All addresses behind the host name of a server; asked again at every attempt, for names move. */
    readonly resolve: (server: ServerAddress) => Effect.Effect<ReadonlyArray<ServerAddress>, TransportError>
    /** Dials one resolved address. `name` is the server as the user wrote it: TLS verifies against its host. */
    readonly connect: (
      address: ServerAddress,
      name: ServerAddress
    ) => Effect.Effect<Connection, TransportError, Scope.Scope>
    /** Who can read what is sent to a server on its way. A transport without a network has no such thing. */
    readonly security?: ((server: ServerAddress) => ConnectionSecurity) | undefined
  }
>()("@effect-zookeeper/transport/Transport") {}

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How to speak TLS. When it is given, servers without a scheme are dialled with TLS; when it is not, without. A server
   * written as `tcp://` or `tls://` is dialled so in either case, and without options `tls://` trusts what Node trusts.
   * An Effect is run for each connection, so that certificates can be replaced: see `TlsOptions.fromFiles`.
   */
  readonly tls?: TlsSource | undefined
  /** The IP addresses of a host name, instead of the system's resolver. Never asked for IP addresses. */
  readonly lookup?: ((host: string) => Effect.Effect<ReadonlyArray<string>, unknown>) | undefined
}

/**
 * Dials over TCP and TLS, on Node.
 *
 * **Details**
 *
 * The socket modules are loaded when the first name is resolved or the first server dialled. There is no timer here:
 * whoever connects brings the deadline and interrupts. A TLS connection is never used before the certificate has been
 * checked, and never replaced by a plain one.
 *
 * `check` reads the TLS options one by one, so that the error names the one that cannot be used. Of an Effect it runs that
 * once, and passes over what may be of the moment: a key that does not belong to the certificate yet, and any failure but
 * that of a file of `TlsOptions.fromFiles`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Transport> => {
  const { lookup, tls } = options
  const isSecure = ({ scheme }: ServerAddress): boolean => (scheme === undefined ? tls !== undefined : scheme === "tls")
  const isVerified = tls === undefined || Effect.isEffect(tls) || tls?.rejectUnauthorized !== false
  return Layer.succeed(
    Transport,
    Transport.of({
      defaultServers: undefined,
      // Without options there is nothing to load a module for.
      check: tls === undefined ? undefined : Effect.flatMap(loadTls, ({ checkSource }) => checkSource(tls)),
      resolve: (server) => Effect.flatMap(loadResolve, ({ resolve }) => resolve(server, lookup)),
      connect: (address, name) =>
        Effect.flatMap(loadConnect, ({ connect }) => connect(address, name, isSecure(name), tls)),
      security: (server) => (isSecure(server) ? (isVerified ? "verified" : "unverified") : "plain")
    })
  )
}

/** A module when it is first needed. The runtime has it but once, and asking its loader each time takes 50 µs. */
const load = <Module>(once: () => Promise<Module>): Effect.Effect<Module> => {
  let module: Module | undefined
  return Effect.suspend(() =>
    module === undefined ? Effect.map(Effect.promise(once), (loaded) => (module = loaded)) : Effect.succeed(module)
  )
}

const loadResolve = load(() => import("./internal/resolve.ts"))

const loadTls = load(() => import("./internal/tls.ts"))

const loadConnect = load(() => import("./internal/connect.ts"))
