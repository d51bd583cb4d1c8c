/**
 * Typed znodes: a path with parameters, and a Schema for the data.
 *
 * ```ts
 * const ServiceConfig = ZNode.make({
 *   path: "/config/:service",
 *   schema: Schema.Struct({ replicas: Schema.Int, owner: Schema.String })
 * })
 *
 * const program = Effect.gen(function* () {
 *   yield* ServiceConfig.create({ service: "mail" }, { replicas: 2, owner: "ops" })
 *   yield* ServiceConfig.update({ service: "mail" }, (config) => ({ ...config, replicas: config.replicas + 1 }))
 *   const { value, stat } = yield* ServiceConfig.get({ service: "mail" })
 * })
 * ```
 *
 * The data is JSON unless a codec says otherwise. What cannot be decoded fails with `ZNodeDecodeError`, and a value that
 * its own Schema refuses with `InvalidArgument` before a byte is sent. For Promises: `zk.znode(ServiceConfig)`.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { CreateError, DeleteError, ExistsError, NoAuth, ReadError, SessionError, SetDataError } from "./Errors.ts"
import { retryBadVersion } from "./internal/compareAndSet.ts"
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
import { ZooKeeper, type Service } from "./ZooKeeper.ts"

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
 * The parameters of a path. Each is one name of the path: neither empty nor "." nor "..", and without "/".
 *
 * @category models
 * @since 0.1.0
 */
export type Params<P extends string> = { readonly [K in ParamNames<P>]: string }

/**
 * The path above: `/config/:service` of `/config/:service/:key`.
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
 * How the encoded form of a Schema becomes bytes. Both functions may throw: a value that has no bytes fails with
 * `InvalidArgument`, and bytes that have no value with `ZNodeDecodeError`.
 * Both errors have the message of what was thrown, so that it must not quote what may be secret.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<I> {
  readonly encode: (encoded: I) => Uint8Array
  readonly decode: (data: Uint8Array) => I
}

/**
 * How values become the data of a znode, and data values: what a typed znode does, for those who read and write by
 * themselves.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataCodec<A> {
  /** Fails for a value that its Schema refuses. */
  readonly encode: (value: A) => Effect.Effect<Uint8Array, InvalidArgument>
  /** `path` is what the error names. */
  readonly decode: (path: string, data: Uint8Array) => Effect.Effect<A, ZNodeDecodeError>
}

/**
 * What a typed znode holds, as its Schema has it in both APIs.
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
 * What can be done with a typed znode, where `R` is what gives the client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operations<P extends string, A, R> {
  /** The path with its parameters filled in. */
  readonly pathOf: (params: Params<P>) => Effect.Effect<string, InvalidArgument>

  /** Value and Stat. */
  readonly get: (params: Params<P>) => Effect.Effect<ValueAndStat<A>, ReadError | ZNodeDecodeError, R>

  /** Value and Stat, if the znode is there. */
  readonly getOption: (
    params: Params<P>
  ) => Effect.Effect<Option.Option<ValueAndStat<A>>, ExistsError | ZNodeDecodeError, R>

  /** Writes the value, if the znode has the version; -1 or none for any. */
  readonly set: (params: Params<P>, value: A, version?: number) => Effect.Effect<Stat, SetDataError, R>

  /** Creates the znode and gives its path, with the number that a sequential one got. */
  readonly create: (
    params: Params<P>,
    value: A,
    options?: Omit<CreateOptions, "data">
  ) => Effect.Effect<string, CreateError, R>

  /** Writes the value, whether the znode exists or not; parents that are missing are created too. */
  readonly createOrSet: (
    params: Params<P>,
    value: A,
    options?: Omit<ZnodeOptions, "data"> & Pick<CreateWithParentsOptions, "parentAcl">
  ) => Effect.Effect<Stat, CreateError, R>

  /**
   * Reads, applies `f`, and writes if nobody else has written meanwhile; else again. `f` may run many times. Gives what
   * was written.
   */
  readonly update: (
    params: Params<P>,
    f: (value: A, stat: Stat) => A,
    options?: UpdateOptions
  ) => Effect.Effect<ValueAndStat<A>, SetDataError | ZNodeDecodeError, R>

  readonly delete: (params: Params<P>, options?: DeleteOptions) => Effect.Effect<void, DeleteError, R>

  readonly exists: (params: Params<P>) => Effect.Effect<boolean, ExistsError, R>

  /**
   * The current value, None for no znode, then each newer one; see `dataChanges` of the client. Ends with
   * `ZNodeDecodeError` at data that is no value; running it again goes on from there.
   */
  readonly changes: (
    params: Params<P>
  ) => Stream.Stream<Option.Option<ValueAndStat<A>>, NoAuth | InvalidArgument | SessionError | ZNodeDecodeError, R>

  /** The names that the last part of the path can have just now: the children of the path above, in no order. */
  readonly list: (params: Params<ParentPath<P>>) => Effect.Effect<ReadonlyArray<string>, ReadError, R>
}

/**
 * A typed znode on one client; it needs no service.
 *
 * @category models
 * @since 0.1.0
 */
export type BoundZNode<P extends string, A> = Operations<P, A, never>

/**
 * A typed znode, on the client that the service `ZooKeeper` gives.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZNode<P extends string, A> extends Operations<P, A, ZooKeeper> {
  /** The path with the names of its parameters. */
  readonly path: P
  /** The same on this client, such as a view from `withChroot`. */
  readonly on: (client: Service) => BoundZNode<P, A>
}

/**
 * The data of a znode is not what its Schema expects.
 *
 * Neither the message nor the cause shows the data: only where it is wrong, and what was expected there.
 *
 * @category errors
 * @since 0.1.0
 */
export class ZNodeDecodeError extends ErrorClass.make(
  Schema.TaggedError<ZNodeDecodeError>()("ZNodeDecodeError", {
    path: Schema.String,
    /** What the Schema or the codec says about it. */
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
 * **Details**
 *
 * A name of the path that starts with ":" is a parameter. The Schema must need no services. Without a codec the data is
 * JSON in UTF-8, in the form that the Schema has as JSON: a Date is a text, so is a bigint. With one, the Schema's encoded
 * form is what the codec takes. A path that is none fails every method with `InvalidArgument`.
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
 * The encoding of `make` without a znode: JSON unless a codec says otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dataCodec = <A, I>(schema: Schema.Codec<A, I>, codec?: Codec<NoInfer<I>> | undefined): DataCodec<A> =>
  codec === undefined ? encoding(Schema.toCodecJson(schema), json) : encoding(schema, codec)

/**
 * Data that is text in UTF-8, for Schemas that are encoded as strings.
 *
 * @category codecs
 * @since 0.1.0
 */
export const text: Codec<string> = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (data) => new TextDecoder("utf-8", { fatal: true }).decode(data)
}

/**
 * Data as it is, for Schemas that are encoded as bytes.
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
    // Not in the types, but a Schema that lets anything pass gives undefined and functions too.
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

// ---- internal: the path

const fillIn = (
  template: string,
  params: { readonly [name: string]: string | undefined }
): Effect.Effect<string, InvalidArgument> => {
  const names = template.split("/")
  for (let index = 0; index < names.length; index++) {
    const name = names[index]
    if (name === undefined || !name.startsWith(":")) continue
    const parameter = name.slice(1)
    const value = params[parameter]
    const rule = parameter === "" ? 'a parameter needs a name after the ":"' : parameterRule(value)
    if (rule !== undefined) {
      return Effect.fail(new InvalidArgument({ argument: `${parameter} in ${template}`, value: String(value), rule }))
    }
    names[index] = value ?? ""
  }
  return Effect.succeed(names.join("/"))
}

const parameterRule = (value: string | undefined): string | undefined => {
  if (typeof value !== "string") return "a parameter of a path must be a string"
  if (value === "") return "a parameter of a path must not be empty"
  if (value.includes("/")) return 'a parameter of a path is one name, and must not have a "/"'
  return ZnodePath.check(`/${value}`)
}

const parentOf = (template: string): string => {
  const slash = template.lastIndexOf("/")
  return slash <= 0 ? "/" : template.slice(0, slash)
}

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
    read(zk, path).pipe(
      Effect.map((found) => Option.some(found)),
      Effect.catchTag("NoNode", () => Effect.succeed(Option.none<ValueAndStat<A>>()))
    )

  return {
    pathOf: (params) => fillIn(spec.template, params),
    get: (params) => at(params, read),
    getOption: (params) => at(params, readOption),
    set: (params, value, version) => writing(params, value, (zk, path, data) => zk.set(path, data, version)),
    create: (params, value, options) =>
      writing(params, value, (zk, path, data) => zk.create(path, { ...options, data })),
    createOrSet: (params, value, options) =>
      writing(params, value, (zk, path, data) => zk.createOrSet(path, data, options)),
    update: (params, f, options) =>
      at(params, (zk, path) => {
        const once = Effect.gen(function* () {
          const current = yield* read(zk, path)
          const value = f(current.value, current.stat)
          const stat = yield* zk.set(path, yield* spec.encode(value), current.stat.version)
          return new ValueAndStat(value, stat)
        })
        return retryBadVersion(once, options?.retry)
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
