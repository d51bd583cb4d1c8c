/**
 * The service that connects a session to the network: it reaches one server and exchanges bytes with it.
 *
 * A `Transport` knows nothing of sessions or frames. It resolves names, opens connections, moves bytes both ways, and
 * defers a task so that the requests of one turn share one packet. `Transport.layer` connects by TCP and TLS; the embedded
 * server has a transport without a socket.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Connection } from "./Connection.ts"
import { format, type ServerAddress } from "./ServerAddress.ts"
import type { TlsSource } from "./TlsOptions.ts"
import { TransportError } from "./TransportError.ts"

export type { Connection } from "./Connection.ts"

/**
 * How well a connection protects the bytes on it.
 *
 * - `plain`: anyone on the way can read them.
 * - `unverified`: they are encrypted, but the certificate is not checked, so an attacker may be the other end.
 * - `verified`: only the owner of the server's certificate can read them.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectionSecurity = "plain" | "unverified" | "verified"

/**
 * Resolves the names of servers and opens connections to them. Applications choose one: `Transport.layer` for TCP and TLS,
 * or the embedded server's.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<
  Transport,
  {
    /** The connect string for applications that name no servers; undefined if the transport has no default. */
    readonly defaultServers: string | undefined
    /**
     * Checks the options of the transport, as far as that is possible without a server. It runs once, before the first
     * connection.
     */
    readonly check?: Effect.Effect<void, InvalidArgument> | undefined
    /** All addresses of a server's host name. It runs at every attempt, since names move. */
    readonly resolve: (server: ServerAddress) => Effect.Effect<ReadonlyArray<ServerAddress>, TransportError>
    /**
     * The servers of an SRV record of DNS, for connect strings of the form `dns+srv://name`. A transport without DNS leaves it
     * out, and refuses such strings.
     */
    readonly resolveSrv?: ((name: string) => Effect.Effect<ReadonlyArray<ServerAddress>, TransportError>) | undefined
    /** Connects to one resolved address. `name` is the server as the user wrote it: TLS verifies its host. */
    readonly connect: (
      address: ServerAddress,
      name: ServerAddress
    ) => Effect.Effect<Connection, TransportError, Scope.Scope>
    /** How connections to a server protect their bytes. A transport without a network leaves it out. */
    readonly security?: ((server: ServerAddress) => ConnectionSecurity) | undefined
  }
>()("@effect-zookeeper/transport/Transport") {}

/**
 * Options of `Transport.layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Options of TLS. With them, servers without a scheme are reached by TLS; without them, by TCP. A server written as
   * `tcp://` or `tls://` is reached in that way in either case; without options, `tls://` trusts the authorities that Node
   * trusts. An Effect runs for each connection, so that certificates can be replaced: see `TlsOptions.fromFiles`.
   */
  readonly tls?: TlsSource | undefined
  /** The IP addresses of a host name. Default: the system's resolver. It is not called for IP addresses. */
  readonly lookup?: ((host: string) => Effect.Effect<ReadonlyArray<string>, unknown>) | undefined
  /** The targets of an SRV record. Default: the name servers that the system is configured with. */
  readonly lookupSrv?:
    | ((name: string) => Effect.Effect<ReadonlyArray<{ readonly name: string; readonly port: number }>, unknown>)
    | undefined
}

/**
 * Connects by TCP and TLS, on Node.js, Bun and Deno.
 *
 * **Details**
 *
 * The socket modules are loaded when the first name is resolved or the first server reached, and Node's TLS only by options
 * of TLS or a server that is reached by it. There is no timer here: the caller sets a deadline and interrupts. A TLS
 * connection is never used before the certificate is verified, and never replaced by a plain one.
 *
 * `check` reads the TLS options one by one, so that the error names the option that cannot be used. An Effect of options
 * runs once for that, and mistakes that may pass are ignored: a key that does not belong to the certificate yet, and any
 * failure except that of a file of `TlsOptions.fromFiles`. Options that are not an object, or have an unknown key, fail
 * `check` too, and no server is connected to.
 *
 * @example
 * ```ts
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Redacted from "effect/Redacted"
 * import { readFileSync } from "node:fs"
 *
 * const Plain = Transport.layer()
 *
 * const Secure = Transport.layer({
 *   tls: {
 *     ca: readFileSync("ca.pem"),
 *     cert: readFileSync("client.pem"),
 *     key: Redacted.make(readFileSync("client.key", "utf8"))
 *   }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Transport> => Layer.succeed(Transport, make(options))

/**
 * The transport of {@link layer} as a value, for code that makes a session without a layer for each of its parts.
 *
 * @example
 * ```ts
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 *
 * const transport = Transport.make()
 *
 * export const addresses = transport.resolve({ host: "zk1", port: 2181 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport["Service"] => {
  const mistake = KnownOptions.check(known, options)
  if (mistake !== undefined) return refuseAll(mistake)
  const { lookup, lookupSrv, tls } = options
  const isSecure = ({ scheme }: ServerAddress): boolean => (scheme === undefined ? tls !== undefined : scheme === "tls")
  const isVerified = tls === undefined || Effect.isEffect(tls) || tls?.rejectUnauthorized !== false
  return Transport.of({
    defaultServers: undefined,
    // Without options there is nothing to load a module for.
    check: tls === undefined ? undefined : Effect.flatMap(loadTls, ({ checkSource }) => checkSource(tls)),
    resolve: (server) => Effect.flatMap(loadResolve, ({ resolve }) => resolve(server, lookup)),
    resolveSrv: (name) => Effect.flatMap(loadResolve, ({ resolveSrv }) => resolveSrv(name, lookupSrv)),
    connect: (address, name) =>
      Effect.flatMap(loadConnect, ({ connect }) => connect(address, name, isSecure(name), tls)),
    security: (server) => (isSecure(server) ? (isVerified ? "verified" : "unverified") : "plain")
  })
}

const known = KnownOptions.make<Options>({ tls: true, lookup: true, lookupSrv: true }, "{ tls: { ca } }")

/** The transport of mistaken options: a misspelt `tls` must not connect in plain text. */
const refuseAll = (mistake: InvalidArgument): Transport["Service"] => {
  const refuse = (server: ServerAddress) =>
    Effect.fail(new TransportError({ server: format(server), reason: "Open", cause: mistake }))
  return Transport.of({ defaultServers: undefined, check: Effect.fail(mistake), resolve: refuse, connect: refuse })
}

/** Loads a module when it is first needed, and keeps it: asking the loader of the runtime each time takes 50 µs. */
const load = <Module>(once: () => Promise<Module>): Effect.Effect<Module> => {
  let module: Module | undefined
  return Effect.suspend(() =>
    module === undefined ? Effect.map(Effect.promise(once), (loaded) => (module = loaded)) : Effect.succeed(module)
  )
}

const loadResolve = load(() => import("./internal/resolve.ts"))

const loadTls = load(() => import("./internal/tls.ts"))

const loadConnect = load(() => import("./internal/connect.ts"))
