/**
 * Spans of requests, made only when somebody listens.
 *
 * A span costs a multiple of the request that it describes, even where tracing is disabled, so the fiber is asked first:
 * it has a span already, or a tracer was provided.
 */
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** The effect, in a span `zookeeper.<operation>` if this fiber is traced. `path` is "" for operations without one. */
export const observed = <A, E>(
  info: SessionInfo,
  operation: string,
  path: string,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) =>
    isTraced(fiber)
      ? Effect.useSpan(
          `zookeeper.${operation}`,
          { kind: "client", attributes: attributesOf(info, operation, path) },
          () => effect
        )
      : effect
  )

/** What the client's own log lines say beside their message. */
export const annotations = (info: SessionInfo): Record<string, unknown> => ({
  "zookeeper.session": `0x${BigInt.asUintN(64, info.id).toString(16)}`,
  "zookeeper.server": Option.match(info.server, {
    onNone: () => "none",
    onSome: ({ host, port }) => `${host}:${port}`
  })
})

const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracerEnabled &&
  (cache.span !== undefined || (cache.tracer !== undefined && cache.tracer !== Tracer.nativeTracer))

const attributesOf = (info: SessionInfo, operation: string, path: string): Record<string, unknown> => ({
  "db.system.name": "zookeeper",
  "db.operation.name": operation,
  ...(path === "" ? {} : { "zookeeper.path": path }),
  ...Option.match(info.server, {
    onNone: () => ({}),
    onSome: ({ host, port }) => ({ "server.address": host, "server.port": port })
  })
})
