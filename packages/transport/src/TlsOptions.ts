/**
 * Options of TLS connections to the servers: authorities, the client's certificate, versions.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { TlsFiles, TlsOptions } from "./internal/tlsTypes.ts"
import type { TlsError } from "./TlsError.ts"

export type { TlsFiles, TlsOptions, TlsSource } from "./internal/tlsTypes.ts"

/**
 * Options from files, which are read for each connection: replace the files, and new connections use their new content.
 * The session goes on. It fails with a `TlsError` whose reason is `Options` when a file cannot be read.
 *
 * **Gotchas**
 *
 * A connection that is made while only one of certificate and key has been replaced fails; the session tries again.
 *
 * @example
 * ```ts
 * import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 *
 * const Secure = Transport.layer({
 *   tls: TlsOptions.fromFiles({
 *     ca: "/etc/zookeeper/ca.pem",
 *     cert: "/etc/zookeeper/client.pem",
 *     key: "/etc/zookeeper/client.key"
 *   })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFiles = (files: TlsFiles): Effect.Effect<Omit<TlsOptions, "rejectUnauthorized">, TlsError> =>
  Effect.flatMap(loadTlsFiles, ({ readTlsFiles }) => readTlsFiles(files))

const loadTlsFiles = Effect.promise(() => import("./internal/tlsFiles.ts"))
