/**
 * Reads TLS options from files.
 */
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs/promises"
import { TlsError } from "../TlsError.ts"
import type { TlsFiles, TlsOptions } from "./tlsTypes.ts"

/** Reads all files now. */
export const readTlsFiles = Effect.fnUntraced(function* (
  files: TlsFiles
): Effect.fn.Return<Omit<TlsOptions, "rejectUnauthorized">, TlsError> {
  const { minVersion, passphrase, servername } = files
  const key = yield* readOne("key", files.key)
  const pfx = yield* readOne("pfx", files.pfx)
  return {
    ca: yield* readAll("ca", files.ca),
    crl: yield* readAll("crl", files.crl),
    cert: yield* readOne("cert", files.cert),
    key: key === undefined ? undefined : Redacted.make(key),
    pfx: pfx === undefined ? undefined : Redacted.make(pfx),
    passphrase,
    servername,
    minVersion
  }
})

const readAll = (option: keyof TlsFiles, paths: string | ReadonlyArray<string> | undefined) =>
  paths === undefined
    ? Effect.succeed(undefined)
    : Effect.forEach(Array.isArray(paths) ? (paths as ReadonlyArray<string>) : [paths as string], (path) =>
        read(option, path)
      )

const readOne = (option: keyof TlsFiles, path: string | undefined) =>
  path === undefined ? Effect.succeed(undefined) : read(option, path)

const read = (option: keyof TlsFiles, path: string): Effect.Effect<Uint8Array, TlsError> =>
  // A number would be used as the descriptor of an open file.
  typeof path !== "string" || path === ""
    ? Effect.fail(broken(option, "must be the path of a file"))
    : Effect.tryPromise({
        try: (signal) => Fs.readFile(path, { signal }),
        catch: (cause) => {
          const why = Printable.escape(cause instanceof Error ? cause.message : String(cause))
          return broken(option, `the file of tls.${option} cannot be read: ${why}`, cause)
        }
      })

const broken = (option: keyof TlsFiles, message: string, cause?: unknown): TlsError =>
  new TlsError({ reason: "Options", option: `tls.${option}`, message, cause })
