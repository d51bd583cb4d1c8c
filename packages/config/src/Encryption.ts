/**
 * Encrypted data in znodes: AES-256-GCM, with keys that can be rotated.
 *
 * Use it for passwords and tokens that live in ZooKeeper beside other configuration: as the codec of a `ZNode`, or as the
 * `decoder` of `LiveConfig` and `ZooKeeperConfigProvider`, where data that is not encrypted passes as it is. Servers, their
 * logs and their snapshots, and every client without the key see ciphertext.
 *
 * The first key encrypts, and all of them decrypt: to rotate, add the new key behind the old one everywhere, then put it
 * first everywhere, then run {@link Encryption.rotate}, then remove the old one.
 *
 * It protects data, not the tree. Paths, sizes and times are visible. A client with the permission to write can delete a
 * znode, restore an older ciphertext of it, copy that of another znode, or put plain data there. `plaintext: "refuse"` refuses
 * plain data. With a `context` such as the path, a ciphertext does not decrypt elsewhere: give the same one to `encrypt`,
 * `codec`, `rotate` and `decoderWith`. Encrypt fewer than 2^32 values by one key.
 *
 * Keys are `Redacted`. Neither keys nor data are in any error, log or span.
 *
 * @since 0.1.0
 */
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { ReadError, SetDataError } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Printable from "@effect-zookeeper/client/Printable"
import type { Codec } from "@effect-zookeeper/client/ZNode"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { DataDecoder } from "./DataDecoder.ts"
import * as AesGcm from "./internal/encryption/aesGcm.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A key: 32 bytes, or their base64, with a name that is stored beside what it encrypts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Key {
  /** 1 to 255 bytes of UTF-8, such as `2026-11`. It is public. */
  readonly id: string
  readonly secret: Redacted.Redacted<Uint8Array | string>
}

/**
 * Options of {@link make}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The first one encrypts, and all of them decrypt. */
  readonly keys: ReadonlyArray<Key>
  /** Data that is not encrypted: whether the decoder accepts it as it is. Default "accept". */
  readonly plaintext?: "accept" | "refuse" | undefined
}

/**
 * Encrypts and decrypts with a set of keys; {@link make} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encryption extends DataDecoder {
  /** Encrypts. The `context` is not stored: the same one is needed to decrypt. Default: none. */
  readonly encrypt: (data: Uint8Array | string, context?: string) => Effect.Effect<Uint8Array>
  /** Decrypts. Fails with `DecryptionError`. */
  readonly decrypt: (data: Uint8Array, context?: string) => Effect.Effect<Uint8Array, DecryptionError>
  /** Whether data has the form of encrypted data. */
  readonly isEncrypted: (data: Uint8Array) => boolean
  /** Encrypts what a codec gives, for a `ZNode`. Data that is not encrypted fails with `ZNodeDecodeError`. */
  readonly codec: <I>(inner: Codec<I>, context?: string) => Codec<I>
  /**
   * A decoder whose data was encrypted with a context, which it finds by the path of the znode: `decoderWith((path) => path)`.
   * The `Encryption` itself is the decoder of data without one.
   */
  readonly decoderWith: (contextOf: (path: string) => string) => DataDecoder
  /**
   * Encrypts the data of a znode anew by the first key, unless it is so already; whether it has done so. A write of another
   * client in between is not lost. Fails with `DecryptionError` for data that no key decrypts, plain data included, and as
   * reads and writes do.
   */
  readonly rotate: (
    path: string,
    context?: string
  ) => Effect.Effect<boolean, DecryptionError | ReadError | SetDataError, ZooKeeper.ZooKeeper>
}

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/**
 * Data cannot be decrypted. `NotEncrypted`: it is plain data. `UnknownKey`: no key has the name `keyId`. `NotAuthentic`: it
 * was changed, or encrypted with another secret or context.
 *
 * @category errors
 * @since 0.1.0
 */
export class DecryptionError extends ErrorClass.make(
  Schema.TaggedError<DecryptionError>()("DecryptionError", {
    reason: Schema.Literals(["NotEncrypted", "UnknownKey", "NotAuthentic"]),
    /** The name of the key; empty for data that is not encrypted. */
    keyId: Schema.String
  })
) {
  override get message(): string {
    const key = Printable.escape(this.keyId)
    switch (this.reason) {
      case "NotEncrypted":
        return "the data is not encrypted"
      case "UnknownKey":
        return `the data is encrypted by the key "${key}", which is not among the keys: add it behind the first one`
      case "NotAuthentic":
        return `the data does not decrypt by the key "${key}": it was changed, or encrypted with another secret or context`
    }
  }
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Checks the keys. Fails with `InvalidArgument`, which shows no secret.
 *
 * @example
 * ```ts
 * import { ZNode } from "@effect-zookeeper/client"
 * import { Encryption, LiveConfig } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const program = Effect.gen(function* () {
 *   const encryption = yield* Encryption.make({
 *     keys: [{ id: "2026-11", secret: yield* Config.Redacted("CONFIG_KEY") }]
 *   })
 *   // Written by an operator.
 *   const Password = ZNode.make({
 *     path: "/config/mail/password",
 *     schema: Schema.String,
 *     codec: encryption.codec(ZNode.text)
 *   })
 *   yield* Password.createOrSet({}, "correct horse")
 *   // Read by the service, beside znodes that are not encrypted.
 *   const config = Config.all({ host: Config.String("host"), password: Config.Redacted("password") })
 *   return yield* LiveConfig.make(config, { path: "/config/mail", decoder: encryption })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<Encryption, InvalidArgument> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    if (!Array.isArray(options.keys)) return yield* invalidKey(typeof options.keys, "it has to be an array of keys")
    const keys = new Map<string, AesGcm.Key>()
    for (const key of options.keys) {
      const checked = yield* checkKey(key)
      if (keys.has(key.id)) return yield* invalidKey(key.id, "each key has another id")
      keys.set(key.id, checked)
    }
    const [first] = keys.values()
    if (first === undefined) return yield* invalidKey("[]", "at least one key is needed")
    return fromKeys(first, keys, options.plaintext === "refuse")
  })

// ---- internal

const known = KnownOptions.make<Options>({ keys: true, plaintext: true }, '{ keys: [{ id: "2026-11", secret }] }')

const fromKeys = (first: AesGcm.Key, keys: ReadonlyMap<string, AesGcm.Key>, refusesPlain: boolean): Encryption => {
  const decryptSync = (data: Uint8Array, context: string | undefined): Result.Result<Uint8Array, DecryptionError> => {
    const keyId = AesGcm.keyIdOf(data)
    if (keyId === undefined) return Result.fail(new DecryptionError({ reason: "NotEncrypted", keyId: "" }))
    const key = keys.get(keyId)
    if (key === undefined) return Result.fail(new DecryptionError({ reason: "UnknownKey", keyId }))
    const plain = AesGcm.decrypt(key, data, context)
    return plain === undefined
      ? Result.fail(new DecryptionError({ reason: "NotAuthentic", keyId }))
      : Result.succeed(plain)
  }
  const decodeData = (data: Uint8Array, context: string | undefined) =>
    refusesPlain || AesGcm.keyIdOf(data) !== undefined
      ? Effect.fromResult(decryptSync(data, context))
      : Effect.succeed(data)
  return {
    encrypt: (data, context) => Effect.sync(() => AesGcm.encrypt(first, toBytes(data), context)),
    decrypt: (data, context) => Effect.suspend(() => Effect.fromResult(decryptSync(data, context))),
    isEncrypted: (data) => AesGcm.keyIdOf(data) !== undefined,
    decodeData: (_path, data) => Effect.suspend(() => decodeData(data, undefined)),
    decoderWith: (contextOf) => ({
      decodeData: (path, data) => Effect.suspend(() => decodeData(data, contextOf(path)))
    }),
    codec: (inner, context) => ({
      encode: (encoded) => AesGcm.encrypt(first, inner.encode(encoded), context),
      decode: (data) => inner.decode(Result.getOrThrow(decryptSync(data, context)))
    }),
    rotate: (path, context) =>
      Effect.gen(function* () {
        const zk = yield* ZooKeeper.ZooKeeper
        const once = Effect.gen(function* () {
          const { data, stat } = yield* zk.get(path)
          if (AesGcm.keyIdOf(data) === first.id) return false
          const plain = yield* Effect.fromResult(decryptSync(data, context))
          yield* zk.set(path, AesGcm.encrypt(first, plain, context), stat.version)
          return true
        })
        return yield* Effect.retry(once, { while: ({ _tag }) => _tag === "BadVersion", times: 100 })
      })
  }
}

const toBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === "string" ? new TextEncoder().encode(data) : data

const checkKey = ({ id, secret }: Key): Effect.Effect<AesGcm.Key, InvalidArgument> => {
  const bytesOfId = new TextEncoder().encode(id)
  const size = bytesOfId.byteLength
  if (size === 0 || size > 255) return invalidKey(id, "the id of a key has 1 to 255 bytes")
  const isWhole = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOfId) === id
  if (!isWhole) return invalidKey(id, "the id of a key is a text without halves of surrogate pairs")
  if (!Redacted.isRedacted(secret)) return invalidKey(id, "the secret of a key is Redacted")
  const value = Redacted.value(secret)
  const bytes = typeof value === "string" ? Result.getOrUndefined(Base64.decode(value)) : value
  return bytes instanceof Uint8Array && bytes.byteLength === 32
    ? Effect.succeed({ id, secret: Redacted.make(bytes.slice()) })
    : invalidKey(id, "the secret of a key has 32 bytes, or is the base64 of 32 bytes")
}

const invalidKey = (id: string, rule: string) => Effect.fail(new InvalidArgument({ argument: "keys", value: id, rule }))
