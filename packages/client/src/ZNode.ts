/**
 * Typed znodes: a path with parameters, and a Schema for the data.
 *
 * The data is JSON unless a codec says otherwise. Data that cannot be decoded fails with `ZNodeDecodeError`. A value that
 * the Schema refuses fails with `InvalidArgument`, before a byte is sent. For Promises: `zk.znode(ServiceConfig)`.
 *
 * @example
 * ```ts
 * import { ZNode } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const ServiceConfig = ZNode.make({
 *   path: "/config/:service",
 *   schema: Schema.Struct({ replicas: Schema.Int, owner: Schema.String })
 * })
 *
 * export const program = Effect.gen(function* () {
 *   yield* ServiceConfig.createOrSet({ service: "mail" }, { replicas: 2, owner: "ops" })
 *   yield* ServiceConfig.update({ service: "mail" }, (config) => ({ ...config, replicas: config.replicas + 1 }))
 *   const { value } = yield* ServiceConfig.get({ service: "mail" })
 *   return value.replicas
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { CreateError, DeleteError, ExistsError, NoAuth, ReadError, SessionError, SetDataError } from "./Errors.ts"
import { checkOptions } from "./ArgumentCheck.ts"
import { typedCreateOptions, updateOptions } from "./internal/methodOptions.ts"
import { retryBadVersion } from "./internal/retryBadVersion.ts"
import { fillIn, parentOf } from "./internal/pathTemplate.ts"
import type {
  CreateOptions,
  CreateWithParentsOptions,
  DataAndStat,
  DeleteOptions,
  Stat,
  UpdateOptions,
  ZnodeOptions
} from "./Models.ts"
import { Opaque } from "./PromiseAdapter.ts"
import type { Service } from "./Service.ts"
import { ZooKeeper } from "./ZooKeeper.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The names of the parameters in a path: `"service" | "key"` in `/config/:service/:key`.
 *
 * @category models
 * @since 0.1.0
 */
export type ParamNames<P extends string> = P extends `${infer Head}/${infer Tail}`
  ? ParamNames<Head> | ParamNames<Tail>
  : P extends `:${infer Name}`
    ? Name
    : never

/**
 * The parameters of a path. Each of them is one name in the path: it is not empty, "." or "..", and has no "/".
 *
 * @category models
 * @since 0.1.0
 */
export type Params<P extends string> = { readonly [K in ParamNames<P>]: string }

/**
 * The path of the parent: `/config/:service` for `/config/:service/:key`.
 *
 * @category models
 * @since 0.1.0
 */
export type ParentPath<P extends string> = P extends `${infer Head}/${infer Tail}`
  ? Tail extends `${string}/${string}`
    ? `${Head}/${ParentPath<Tail>}`
    : Head
  : ""

/**
 * The conversion between the encoded form of a Schema and bytes. Both functions may throw: then the value fails with
 * `InvalidArgument`, and the bytes with `ZNodeDecodeError`. Both errors show the message that was thrown, so that it must
 * not quote secrets.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<I> {
  readonly encode: (encoded: I) => Uint8Array
  readonly decode: (data: Uint8Array) => I
}

/**
 * The conversion between values and the data of a znode. Use it where you read and write with the client itself;
 * {@link dataCodec} makes one.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataCodec<A> {
  /** Fails with `InvalidArgument` for a value that the Schema refuses. */
  readonly encode: (value: A) => Effect.Effect<Uint8Array, InvalidArgument>
  /** Fails with `ZNodeDecodeError`, which names the `path`, for data that the Schema refuses. */
  readonly decode: (path: string, data: Uint8Array) => Effect.Effect<A, ZNodeDecodeError>
}

/**
 * The value of a typed znode and its Stat. The Promise API gives the value as the Schema has it, without conversion.
 *
 * @category models
 * @since 0.1.0
 */
export class ValueAndStat<out A> extends Opaque {
  readonly value: A
  readonly stat: Stat

  constructor(value: A, stat: Stat) {
    super()
    this.value = value
    this.stat = stat
  }
}

/**
 * The methods of a typed znode, where `R` is the service that gives the client.
 *
 * Each method fills the parameters into the path, and fails with `InvalidArgument` if one of them or the path breaks a
 * rule. Their other errors are those of the client's methods with the same names; see `Service`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operations<P extends string, A, R> {
  /** The path with its parameters filled in. */
  readonly pathOf: (params: Params<P>) => Effect.Effect<string, InvalidArgument>

  /** The value and the Stat. It fails with `NoNode`, `NoAuth` or `ZNodeDecodeError`. */
  readonly get: (params: Params<P>) => Effect.Effect<ValueAndStat<A>, ReadError | ZNodeDecodeError, R>

  /** The value and the Stat, or none if there is no such znode. It fails with `NoAuth` or `ZNodeDecodeError`. */
  readonly getOption: (
    params: Params<P>
  ) => Effect.Effect<Option.Option<ValueAndStat<A>>, ExistsError | ZNodeDecodeError, R>

  /**
   * Writes the value, and gives the new Stat. `version` is the version that the znode must have; -1, the default, is any.
   * It fails with `BadVersion`, `NoNode`, `NoAuth` or `QuotaExceeded`.
   */
  readonly set: (params: Params<P>, value: A, version?: number) => Effect.Effect<Stat, SetDataError, R>

  /**
   * Creates the znode with the value and gives its path, with the number of a sequential one. It fails with the errors of
   * the client's `create`.
   */
  readonly create: (
    params: Params<P>,
    value: A,
    options?: Omit<CreateOptions, "data">
  ) => Effect.Effect<string, CreateError, R>

  /**
   * Writes the value whether or not the znode exists, and creates missing parents. It fails with the errors of the
   * client's `createOrSet`.
   */
  readonly createOrSet: (
    params: Params<P>,
    value: A,
    options?: Omit<ZnodeOptions, "data"> & Pick<CreateWithParentsOptions, "parentAcl">
  ) => Effect.Effect<Stat, CreateError, R>

  /**
   * Reads the value, applies `f`, and writes the result if no other client has written meanwhile; otherwise it begins
   * again. `f` may run many times. Gives the written value. It fails with the errors of `get` and `set`, and with
   * `BadVersion` only when the schedule `retry` has ended.
   */
  readonly update: (
    params: Params<P>,
    f: (value: A, stat: Stat) => A,
    options?: UpdateOptions
  ) => Effect.Effect<ValueAndStat<A>, SetDataError | ZNodeDecodeError, R>

  /** Deletes the znode. It fails with `NoNode`, `NotEmpty`, `BadVersion` or `NoAuth`. */
  readonly delete: (params: Params<P>, options?: DeleteOptions) => Effect.Effect<void, DeleteError, R>

  /** Whether the znode exists. It fails with `NoAuth` since ZooKeeper 3.8.4 and 3.9.2. */
  readonly exists: (params: Params<P>) => Effect.Effect<boolean, ExistsError, R>

  /**
   * The current value, or none if there is no such znode, then each newer one; see `dataChanges` of the client. It fails
   * with `ZNodeDecodeError` at data that the Schema refuses; running it again goes on from there.
   */
  readonly changes: (
    params: Params<P>
  ) => Stream.Stream<Option.Option<ValueAndStat<A>>, NoAuth | InvalidArgument | SessionError | ZNodeDecodeError, R>

  /**
   * The names that the last part of the path has now: the children of the parent, in no order. It fails with `NoNode` or
   * `NoAuth`.
   */
  readonly list: (params: Params<ParentPath<P>>) => Effect.Effect<ReadonlyArray<string>, ReadError, R>
}

/**
 * A typed znode on one client: its Effects need no service.
 *
 * @category models
 * @since 0.1.0
 */
export type BoundZNode<P extends string, A> = Operations<P, A, never>

/**
 * A typed znode on the client that the service `ZooKeeper` gives; {@link make} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZNode<P extends string, A> extends Operations<P, A, ZooKeeper> {
  /** The path with the names of its parameters. */
  readonly path: P
  /** The same znode on this client, such as a view from `withChroot`. */
  readonly on: (client: Service) => BoundZNode<P, A>
}

/**
 * The data of a znode is not what its Schema expects. Correct the data, or widen the Schema.
 *
 * Neither the message nor the cause shows the data: only where it is wrong, and what was expected there.
 *
 * @category errors
 * @since 0.1.0
 */
export class ZNodeDecodeError extends ErrorClass.make(
  Schema.TaggedError<ZNodeDecodeError>()("ZNodeDecodeError", {
    path: Schema.String,
    /** The error of the Schema or of the codec. */
    cause: Schema.Defect()
  })
) {
  override get message(): string {
    return `the data of ${Printable.escape(this.path)} is not what its schema expects: ${reasonOf(this.cause)}`
  }
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Describes a typed znode. Nothing is read or created.
 *
 * A name of the path that starts with ":" is a parameter. The Schema must need no services. Without a codec the data is
 * JSON in UTF-8, in the form that the Schema has as JSON: a Date is a text, and so is a bigint. A codec takes the encoded
 * form of the Schema. An invalid path fails every method with `InvalidArgument`.
 *
 * @example
 * ```ts
 * import { ZNode } from "@effect-zookeeper/client"
 * import * as Schema from "effect/Schema"
 *
 * export const Feature = ZNode.make({ path: "/features/:name", schema: Schema.Struct({ enabled: Schema.Boolean }) })
 *
 * export const Motd = ZNode.make({ path: "/motd", schema: Schema.String, codec: ZNode.text })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const P extends string, A, I>(options: {
  readonly path: P
  readonly schema: Schema.Codec<A, I>
  readonly codec?: Codec<NoInfer<I>> | undefined
}): ZNode<P, A> => {
  const { codec, path, schema } = options
  const spec: Spec<P, A> = { template: path, ...dataCodec(schema, codec) }
  return {
    ...makeOperations(spec, ZooKeeper),
    path,
    on: (client) => makeOperations(spec, Effect.succeed(client))
  }
}

/**
 * The encoding of {@link make} without a znode: JSON unless a codec says otherwise.
 *
 * @example
 * ```ts
 * import { ZNode } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const ports = ZNode.dataCodec(Schema.Array(Schema.Int))
 *
 * console.log(Effect.runSync(Effect.flatMap(ports.encode([80, 443]), (data) => ports.decode("/ports", data))))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const dataCodec = <A, I>(schema: Schema.Codec<A, I>, codec?: Codec<NoInfer<I>> | undefined): DataCodec<A> =>
  codec === undefined ? encoding(Schema.toCodecJson(schema), json) : encoding(schema, codec)

/**
 * A codec for text in UTF-8, for Schemas that are encoded as strings.
 *
 * @category codecs
 * @since 0.1.0
 */
export const text: Codec<string> = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (data) => new TextDecoder("utf-8", { fatal: true }).decode(data)
}

/**
 * A codec that leaves data as it is, for Schemas that are encoded as bytes.
 *
 * @category codecs
 * @since 0.1.0
 */
export const bytes: Codec<Uint8Array> = { encode: (data) => data, decode: (data) => data }

// ---- internal: the data

interface Spec<P extends string, A> extends DataCodec<A> {
  readonly template: P
}

const json: Codec<Schema.Json> = {
  encode: (value) => {
    const written: string | undefined = JSON.stringify(value)
    // The types exclude it, but a Schema that lets everything pass gives undefined and functions too.
    if (written === undefined) throw new Error(`JSON has no form for ${typeof value}`)
    return text.encode(written)
  },
  decode: (data) => {
    const written = text.decode(data)
    try {
      return JSON.parse(written)
    } catch {
      // The parser's own error quotes the data, which may be secret.
      throw new Error(`it is not JSON (${data.byteLength} bytes)`)
    }
  }
}

const encoding = <A, I>(schema: Schema.Codec<A, I>, codec: Codec<I>): DataCodec<A> => {
  const encode = Schema.encodeEffect(schema)
  const decode = Schema.decodeUnknownEffect(schema)
  return {
    encode: (value) =>
      encode(value).pipe(
        Effect.flatMap((encoded) => Effect.try({ try: () => codec.encode(encoded), catch: (cause) => cause })),
        // The value itself may be large or secret.
        Effect.mapError(
          (cause) => new InvalidArgument({ argument: "value", value: typeof value, rule: reasonOf(cause) })
        )
      ),
    decode: (path, data) =>
      Effect.try({ try: () => codec.decode(data), catch: (cause) => cause }).pipe(
        Effect.flatMap((encoded) => decode(encoded)),
        Effect.mapError((cause) => new ZNodeDecodeError({ path, cause }))
      )
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

// ---- internal: the methods

const makeOperations = <P extends string, A, R>(
  spec: Spec<P, A>,
  client: Effect.Effect<Service, never, R>
): Operations<P, A, R> => {
  const at = <B, E>(
    params: Params<P>,
    use: (zk: Service, path: string) => Effect.Effect<B, E>
  ): Effect.Effect<B, E | InvalidArgument, R> =>
    Effect.flatMap(fillIn(spec.template, params), (path) => Effect.flatMap(client, (zk) => use(zk, path)))

  const writing = <B, E>(
    params: Params<P>,
    value: A,
    use: (zk: Service, path: string, data: Uint8Array) => Effect.Effect<B, E>
  ): Effect.Effect<B, E | InvalidArgument, R> =>
    at(params, (zk, path) => Effect.flatMap(spec.encode(value), (data) => use(zk, path, data)))

  const decoded = (path: string, { data, stat }: DataAndStat): Effect.Effect<ValueAndStat<A>, ZNodeDecodeError> =>
    Effect.map(spec.decode(path, data), (value) => new ValueAndStat(value, stat))

  const read = (zk: Service, path: string) => Effect.flatMap(zk.get(path), (found) => decoded(path, found))

  const readOption = (
    zk: Service,
    path: string
  ): Effect.Effect<Option.Option<ValueAndStat<A>>, ExistsError | ZNodeDecodeError> =>
    Effect.catchTag(Effect.asSome(read(zk, path)), "NoNode", () => Effect.succeedNone)

  return {
    pathOf: (params) => fillIn(spec.template, params),
    get: (params) => at(params, read),
    getOption: (params) => at(params, readOption),
    set: (params, value, version) => writing(params, value, (zk, path, data) => zk.set(path, data, version)),
    create: (params, value, options) =>
      Effect.andThen(
        checkOptions(typedCreateOptions, options),
        writing(params, value, (zk, path, data) => zk.create(path, { ...options, data }))
      ),
    createOrSet: (params, value, options) =>
      writing(params, value, (zk, path, data) => zk.createOrSet(path, data, options)),
    update: (params, f, options) =>
      at(params, (zk, path) => {
        const once = Effect.gen(function* () {
          const current = yield* read(zk, path)
          const value = f(current.value, current.stat)
          return new ValueAndStat(value, yield* zk.set(path, yield* spec.encode(value), current.stat.version))
        })
        return Effect.andThen(checkOptions(updateOptions, options), retryBadVersion(once, options?.retry))
      }),
    delete: (params, options) => at(params, (zk, path) => zk.delete(path, options)),
    exists: (params) => at(params, (zk, path) => zk.exists(path)),
    changes: (params) =>
      Stream.unwrap(
        at(params, (zk, path) =>
          Effect.succeed(
            Stream.mapEffect(
              zk.dataChanges(path),
              Option.match({
                onNone: () => Effect.succeed(Option.none<ValueAndStat<A>>()),
                onSome: (found) => Effect.map(decoded(path, found), Option.some)
              })
            )
          )
        )
      ),
    list: (params) =>
      Effect.flatMap(fillIn(parentOf(spec.template), params), (path) =>
        Effect.flatMap(client, (zk) => zk.getChildren(path))
      )
  }
}
