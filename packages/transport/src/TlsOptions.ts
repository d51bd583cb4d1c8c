/**
 * How to speak TLS with the servers.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { TlsFiles, TlsOptions } from "./internal/tlsTypes.ts"
import type { TlsError } from "./TlsError.ts"

export type { TlsFiles, TlsOptions, TlsSource } from "./internal/tlsTypes.ts"

/**
 * Options out of files, read for each connection: replace the files, and new connections use what stands in them.
 *
 * **Gotchas**
 *
 * A connection that is made while only one of certificate and key has been replaced fails, and is tried again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFiles = (files: TlsFiles): Effect.Effect<Omit<TlsOptions, "rejectUnauthorized">, TlsError> =>
  Effect.flatMap(loadTlsFiles, ({ readTlsFiles }) => readTlsFiles(files))

const loadTlsFiles = Effect.promise(() => import("./internal/tlsFiles.ts"))
