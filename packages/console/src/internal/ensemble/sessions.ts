/** The sessions of an ensemble, which the servers are asked for once for all pages. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Inspector, Problem } from "../../Cluster.ts"
import type { Session, SessionDetail, SessionPath, Sessions, SessionWatches } from "../../SessionModels.ts"
import { formatHex } from "../../Models.ts"
import * as limits from "../limits.ts"
import { makeShared } from "../sharedQuestion.ts"

export interface SessionFeed {
  /** The first sessions of which the id, the client or the server has this text. */
  readonly list: (filter: string, limit: number) => Effect.Effect<Sessions, Problem>
  readonly detail: (session: bigint) => Effect.Effect<SessionDetail, Problem>
  readonly watches: (session: bigint) => Effect.Effect<SessionWatches, Problem>
}

export const makeSessionFeed = Effect.fnUntraced(function* (
  inspector: Inspector
): Effect.fn.Return<SessionFeed, never, Scope.Scope> {
  // Servers that answer slowly are asked less often. A page asks every five seconds.
  const sessions = yield* makeShared(inspector.sessions, (elapsed) => Math.max(4_000, 10 * elapsed))
  // The answer is large, and a person asks for it.
  const watches = yield* makeShared(inspector.watches, () => 0)
  return {
    list: (filter, limit) =>
      Effect.map(sessions(false), ({ problems, sessions }) => {
        const text = filter.toLowerCase()
        const matching = text === "" ? sessions : sessions.filter((session) => textOf(session).includes(text))
        return {
          sessions: matching.slice(0, limit),
          matching: matching.length,
          total: sessions.length,
          problems
        }
      }),
    detail: (id) =>
      Effect.map(sessions(false), ({ ephemerals, problems, sessions }) => {
        const paths = ephemerals(id)
        return {
          session: sessions.find(({ session }) => session === id) ?? { session: id },
          ...(paths === undefined ? {} : { ephemerals: first(paths) }),
          problems,
          isTruncated: (paths?.length ?? 0) > limits.sessionPaths
        }
      }),
    watches: (id) =>
      Effect.map(watches(false), ({ of, problems }) => {
        const paths = of(id)
        return { watches: first(paths), problems, isTruncated: paths.length > limits.sessionPaths }
      })
  }
})

// ---- internal

const first = (paths: ReadonlyArray<SessionPath>) => paths.slice(0, limits.sessionPaths)

const textOf = ({ client, server, session }: Session): string =>
  `${formatHex(session)} ${client ?? ""} ${server ?? ""}`.toLowerCase()
