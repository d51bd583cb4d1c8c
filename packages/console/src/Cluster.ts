/**
 * An ensemble that the console shows: how to connect, and how to ask its members.
 *
 * @since 0.1.0
 */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import type { Visited } from "@effect-zookeeper/client/TreeWalk"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Contention, Finding, Group, Members, Queue, Word } from "./EnsembleModels.ts"
import type { Session, SessionPath } from "./SessionModels.ts"
import type { Format } from "./Format.ts"

/**
 * A failure that is shown to people. Any error with a message is one.
 *
 * @category errors
 * @since 0.1.0
 */
export interface Problem {
  readonly message: string
}

/**
 * An ensemble, or a chroot of one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cluster {
  /** The name that pages ask by. */
  readonly name: string
  /** The connect string with the chroot, for people. It has no credentials. */
  readonly servers: string
  /** What forbids changes, for people; undefined where they are allowed. */
  readonly readOnly: string | undefined
  /**
   * Makes a client. It is asked for when the first page looks at the cluster, and its Scope closes when none has looked for
   * a minute. Its session should be made anew after an expiry (`sessionExpiry: "recreate"`).
   */
  readonly connect: Effect.Effect<Service, Problem, Scope.Scope>
  /** Forms of data that an application knows; the first one that matches a path is shown. */
  readonly formats?: ReadonlyArray<Format> | undefined
  /** Ways to ask about members, sessions and recipes. Without them, pages are told that there are none. */
  readonly inspector?: Inspector | undefined
}

/**
 * A recipe that was found among znodes.
 *
 * @category models
 * @since 0.1.0
 */
export type Found = { readonly contention: Contention } | { readonly queue: Queue } | { readonly group: Group }

/**
 * All sessions by the words of the servers, at one time.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeenSessions {
  readonly sessions: ReadonlyArray<Session>
  /** Why some servers do not answer: their connections are missing. */
  readonly problems: ReadonlyArray<string>
  /** The ephemeral znodes of a session; undefined where no server tells any. */
  readonly ephemerals: (session: bigint) => ReadonlyArray<SessionPath> | undefined
}

/**
 * All watches by the words of the servers, at one time.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeenWatches {
  /** Why some servers do not answer: the watches of their connections are missing. */
  readonly problems: ReadonlyArray<string>
  /** The paths that a session watches. */
  readonly of: (session: bigint) => ReadonlyArray<SessionPath>
}

/**
 * What `zk` knows about an ensemble besides its tree.
 *
 * @category models
 * @since 0.1.0
 */
export interface Inspector {
  /**
   * Asks all members. A member that does not answer has its reason in `problem`. The client is that of the console, undefined
   * while it has no session: its configuration tells members that the connect string does not name.
   */
  readonly members: (zk: Service | undefined) => Effect.Effect<Members>
  /** The answer of a server to a four-letter word. */
  readonly word: (server: string, word: Word) => Effect.Effect<string, Problem>
  /** The oddities of the ensemble, of whose tree so many znodes are looked at. It changes nothing. */
  readonly doctor: (zk: Service, options: { readonly znodes: number }) => Effect.Effect<ReadonlyArray<Finding>, Problem>
  /** All sessions, as far as the servers tell. It fails where no server tells any. Pages share the answer. */
  readonly sessions: Effect.Effect<SeenSessions, Problem>
  /** All watches, as far as the servers tell. It fails where no server tells any, and is asked for when a person wants it. */
  readonly watches: Effect.Effect<SeenWatches, Problem>
  /** The recipes among the znodes of a walk. */
  readonly recipes: (zk: Service, znodes: Stream.Stream<Visited, ReadError>) => Stream.Stream<Found, ReadError>
}
