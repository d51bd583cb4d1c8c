/** A server of HTTPS whose certificate is in files, which may be replaced while it runs. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schedule from "effect/Schedule"
import * as Https from "node:https"
import { FileError, UsageError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"
import { Printer } from "../output/Printer.ts"

/** The names of files in PEM. */
export interface HttpsFiles {
  readonly cert: string
  readonly key: string
  /** The authorities whose certificates clients must have; without it, they need none. */
  readonly ca: string | undefined
}

/** The files that the flags name; undefined where they name none. */
export const httpsFilesOf = (flags: {
  readonly httpsCert: string | undefined
  readonly httpsKey: string | undefined
  readonly httpsCa: string | undefined
}): Effect.Effect<HttpsFiles | undefined, UsageError> => {
  const { httpsCa: ca, httpsCert: cert, httpsKey: key } = flags
  if (cert !== undefined && key !== undefined) return Effect.succeed({ cert, key, ca })
  if (cert === undefined && key === undefined && ca === undefined) return Effect.undefined
  return Effect.fail(new UsageError({ message: "HTTPS needs both --https-cert and --https-key" }))
}

/** Makes the server, which does not listen yet. New content of the files is used within a minute. */
export const makeHttpsServer = Effect.fnUntraced(function* (files: HttpsFiles) {
  const first = yield* read(files)
  const server = yield* Effect.try({
    try: () => Https.createServer({ ...first, requestCert: files.ca !== undefined, rejectUnauthorized: true }),
    catch: (cause) => new FileError({ message: `${files.cert} and ${files.key} cannot be used: ${messageOf(cause)}` })
  })
  const { note } = yield* Printer
  let current = first
  let problem = ""
  const renew = Effect.gen(function* () {
    const next = yield* read(files)
    if (next.cert === current.cert && next.key === current.key && next.ca === current.ca) return
    yield* Effect.try({
      try: () => server.setSecureContext(next),
      catch: (cause) => new FileError({ message: messageOf(cause) })
    })
    current = next
    problem = ""
    yield* note("the certificate of the metrics was replaced")
  }).pipe(
    // Only one of certificate and key may have been replaced.
    Effect.catch(({ message }) => {
      if (message === problem) return Effect.void
      problem = message
      return note(`the certificate of the metrics stays as it is: ${message}`)
    })
  )
  yield* Effect.forkScoped(Effect.delay(Effect.repeat(renew, Schedule.spaced(renewal)), renewal))
  return server
})

// ---- internal

const renewal = "1 minute"

const read = Effect.fnUntraced(function* ({ ca, cert, key }: HttpsFiles) {
  const fs = yield* FileSystem.FileSystem
  const text = (file: string) =>
    Effect.mapError(
      fs.readFileString(file),
      (error) => new FileError({ message: `HTTPS: ${file} cannot be read: ${reasonOf(error)}` })
    )
  const authorities = ca === undefined ? undefined : yield* text(ca)
  return {
    cert: yield* text(cert),
    key: yield* text(key),
    ...(authorities === undefined ? {} : { ca: authorities })
  } satisfies Readonly<Record<string, string>>
})

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
