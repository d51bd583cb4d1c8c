/**
 * A file that one run at a time may write. A run holds it by another file beside it, `<file>.lock`, which has its process and
 * host, and whose time it renews. A run that was killed holds nothing, whatever it has left behind.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Os from "node:os"
import * as Process from "node:process"
import { FileAccessError } from "../../StorageError.ts"

/** How often a holder renews the time of its file. */
const RENEWAL = Duration.seconds(2)

/** A file whose time stays the same for so long is not held any more. */
const PATIENCE = Duration.seconds(10)

/** Holds the file until the Scope closes. It fails with `FileAccessError` where another run holds it. */
export const holdFile = (file: string): Effect.Effect<void, FileAccessError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const lock = `${file}.lock`
    const own = JSON.stringify({ process: Process.pid, host: Os.hostname(), run: yield* Random.nextInt })
    const acquire = Effect.gen(function* () {
      for (let tries = 0; tries < TRIES; tries++) {
        if (yield* create(fs, lock, own)) return
        const found = yield* read(fs, lock)
        if (Option.isNone(found)) continue
        // Only this may take a while.
        if (yield* Effect.interruptible(isHeld(fs, lock, found.value))) return yield* heldError(file, lock, found.value)
        yield* takeAway(fs, lock, found.value, own)
      }
      return yield* heldError(file, lock, undefined)
    }).pipe(
      Effect.catchTag("PlatformError", (cause) =>
        Effect.fail(new FileAccessError({ file: lock, action: "write", cause }))
      )
    )
    yield* Effect.acquireRelease(acquire, () =>
      Effect.ignore(
        Effect.flatMap(read(fs, lock), (found) =>
          Option.isSome(found) && found.value.text === own ? fs.remove(lock) : Effect.void
        )
      )
    )
    yield* renew(fs, lock).pipe(Effect.repeat(Schedule.spaced(RENEWAL)), Effect.forkScoped)
  })

// ---- internal

/** Others may come and go while a file is looked at. */
const TRIES = 5

interface Found {
  readonly text: string
  /** Milliseconds since 1970. */
  readonly time: number
}

const Owner = Schema.fromJsonString(Schema.Struct({ process: Schema.Number, host: Schema.String, run: Schema.Number }))
const decodeOwner = Schema.decodeUnknownOption(Owner)

const create = (fs: FileSystem.FileSystem, lock: string, text: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* fs.open(lock, { flag: "wx", mode: 0o644 })
      yield* handle.writeAll(new TextEncoder().encode(text))
      return true
    })
  ).pipe(Effect.catchIf(isReason("AlreadyExists"), () => Effect.succeed(false)))

/** None where it is gone. */
const read = (fs: FileSystem.FileSystem, lock: string) =>
  Effect.gen(function* () {
    const text = yield* fs.readFileString(lock)
    const { mtime } = yield* fs.stat(lock)
    return { text, time: Option.match(mtime, { onNone: () => 0, onSome: (date) => date.getTime() }) } satisfies Found
  }).pipe(
    Effect.asSome,
    Effect.catchIf(isReason("NotFound"), () => Effect.succeed(Option.none<Found>()))
  )

/** A process of this host is there or not. For another host, and for a number that is in use again, the renewals tell. */
const isHeld = (fs: FileSystem.FileSystem, lock: string, found: Found) => {
  const owner = Option.getOrUndefined(decodeOwner(found.text))
  if (owner !== undefined && owner.host === Os.hostname() && !isAlive(owner.process)) return Effect.succeed(false)
  const look = Effect.map(read(fs, lock), (now) =>
    Option.isNone(now) ? "gone" : isSame(now.value, found) ? "same" : "held"
  )
  return look.pipe(
    Effect.delay("500 millis"),
    Effect.repeat({ while: (state) => state === "same", schedule: Schedule.during(PATIENCE) }),
    Effect.map((state) => state === "held")
  )
}

const isAlive = (process: number): boolean => {
  try {
    return Process.kill(process, 0)
  } catch (error) {
    // EPERM: it is there, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/**
 * Removes what a dead run has left. Of those who find it at the same time one may do so: the one that makes a file whose name
 * has the dead run in it. Otherwise one of them could remove what another has made in its place meanwhile.
 */
const takeAway = (
  fs: FileSystem.FileSystem,
  left: string,
  found: Found,
  own: string
): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const claim = `${left}.${Option.match(decodeOwner(found.text), { onNone: () => "unwritten", onSome: ({ run }) => run })}`
    if (yield* create(fs, claim, own)) {
      const now = yield* read(fs, left)
      // Of another host, it may have ended right now.
      if (Option.isSome(now) && isSame(now.value, found)) {
        yield* Effect.catchIf(fs.remove(left), isReason("NotFound"), () => Effect.void)
      }
      return yield* fs.remove(claim)
    }
    // Another is about it, or has died meanwhile.
    const other = yield* read(fs, claim)
    if (Option.isNone(other) || (yield* Effect.interruptible(isHeld(fs, claim, other.value)))) return
    yield* takeAway(fs, claim, other.value, own)
  })

const isSame = (one: Found, other: Found): boolean => one.text === other.text && one.time === other.time

const renew = (fs: FileSystem.FileSystem, lock: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.ignore(fs.utimes(lock, now / 1000, now / 1000)))

const heldError = (file: string, lock: string, found: Found | undefined) => {
  const owner = found === undefined ? undefined : Option.getOrUndefined(decodeOwner(found.text))
  const by = owner === undefined ? "another backup" : `the backup of process ${owner.process} on ${owner.host}`
  return new FileAccessError({
    file,
    action: "write",
    cause: new Error(`${by} writes it, as ${lock} says: wait for its end, or choose another file`)
  })
}

const isReason =
  (reason: string) =>
  (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } | undefined }): boolean =>
    error._tag === "PlatformError" && error.reason?._tag === reason
