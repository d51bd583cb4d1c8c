/**
 * A service of Effects as an object with Promises.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/**
 * A service whose Effects are functions that give Promises. Its other members stay as they are.
 *
 * @category models
 * @since 0.1.0
 */
export type Promised<Service> = {
  readonly [Key in keyof Service]: Service[Key] extends Effect.Effect<infer A, unknown>
    ? () => Promise<A>
    : Service[Key] extends (...args: infer Args) => Effect.Effect<infer A, unknown>
      ? (...args: Args) => Promise<A>
      : Service[Key]
}

/**
 * The end of something that was started.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closeable {
  /** Ends it, and gives a Promise of the end. It may be called again. */
  readonly close: () => Promise<void>
  /** The same as `close`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Builds a layer, and gives the service that it provides. Rejects with the error that the layer fails with. */
export const openPromised = async <Identifier, Service extends object, E>(
  layer: Layer.Layer<Identifier, E>,
  key: Context.Key<Identifier, Service>
): Promise<Promised<Service> & Closeable> => {
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(
    Layer.buildWithScope(layer, scope).pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
  )
  let closing: Promise<void> | undefined
  const close = () => (closing ??= Effect.runPromise(Scope.close(scope, Exit.void)))
  return { ...promised(Context.get(context, key)), close, [Symbol.asyncDispose]: close }
}

/** The compiler cannot follow what is decided at run time. Tests of every kind of member show that types and values agree. */
const promised = <Service extends object>(service: Service): Promised<Service> =>
  Object.fromEntries(Object.entries(service).map(([name, member]) => [name, adapt(member)])) as Promised<Service>

const adapt = (member: unknown): unknown => {
  if (Effect.isEffect(member)) return () => run(member)
  return typeof member === "function" ? (...args: ReadonlyArray<unknown>) => run(member(...args)) : member
}

const run = (effect: unknown): Promise<unknown> => Effect.runPromise(effect as Effect.Effect<unknown, unknown>)
