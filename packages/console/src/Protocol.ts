/**
 * The requests of a page of the console, and the answers of its server: one schema for both ends, over one WebSocket.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks. The requests are JSON messages of
 * `effect/rpc`. A request with a stream goes on until the page interrupts it, and the server gives up its watches then.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Ensemble from "./EnsembleModels.ts"
import * as Models from "./Models.ts"
import * as SearchModels from "./SearchModels.ts"
import * as SessionModels from "./SessionModels.ts"
import { EditFailure, ReadFailure, Refused } from "./ProtocolError.ts"

/**
 * The path of the WebSocket, on the origin of the page.
 *
 * @category constants
 * @since 0.1.0
 */
export const socketPath = "/socket"

/**
 * The path that answers 204 to a valid token, in `Authorization: Bearer <token>`, 503 while as many pages are open as the
 * server takes, and 401 to another token. A browser does not tell a page why its WebSocket was refused, so the page asks here.
 *
 * @category constants
 * @since 0.1.0
 */
export const tokenPath = "/token"

/**
 * The name of the parameter with the token, in the fragment of the link that is printed: `http://127.0.0.1:4180/#token=…`.
 * A fragment is not sent to servers.
 *
 * @category constants
 * @since 0.1.0
 */
export const tokenParameter = "token"

/**
 * The subprotocols to open the WebSocket with. The second one carries the token, because a page can send no header with
 * a WebSocket, and a URL is kept in logs and histories. The server answers with the first.
 *
 * @category conversions
 * @since 0.1.0
 */
export const subprotocols = (token: string): [string, string] => [subprotocol, `${tokenSubprotocol}${token}`]

/**
 * The subprotocol that both ends speak.
 *
 * @category constants
 * @since 0.1.0
 */
export const subprotocol = "effect-zookeeper-console"

/**
 * The beginning of the subprotocol that carries the token.
 *
 * @category constants
 * @since 0.1.0
 */
export const tokenSubprotocol = "token."

// -----------------------------------------------------------------------------
// clusters
// -----------------------------------------------------------------------------

const cluster = Schema.String
const path = Schema.String
const at = { cluster, path }

/** The version of the server, and its limits. The first request of a page. */
const hello = Rpc.make("hello", { success: Models.Hello })

/** All clusters: at the beginning, and whenever the state of one changes. */
const clusters = Rpc.make("clusters", { success: Schema.Array(Models.Cluster), error: Refused, stream: true })

// -----------------------------------------------------------------------------
// the tree
// -----------------------------------------------------------------------------

/** The names in a directory, live. The first page has `limit` of them; the filter keeps names that contain it. */
const directory = Rpc.make("directory", {
  payload: { ...at, filter: Schema.optionalKey(Schema.String), limit: Schema.Int },
  success: Models.DirectoryEvent,
  error: ReadFailure,
  stream: true
})

/** Names of a directory whose stream is open, from a place on. */
const directoryPage = Rpc.make("directoryPage", {
  payload: { ...at, filter: Schema.optionalKey(Schema.String), offset: Schema.Int, limit: Schema.Int },
  success: Models.DirectoryPage,
  error: ReadFailure
})

/**
 * The stats of some znodes, live: those that are visible. Each item has the rows that are new or different. A page that
 * scrolls begins another stream and ends the one before, in this order, so that watches stay set.
 */
const rows = Rpc.make("rows", {
  payload: { cluster, paths: Schema.Array(path) },
  success: Schema.Array(Models.Row),
  error: ReadFailure,
  stream: true
})

/** How many znodes a subtree has. Bytes are counted where it has few thousand. */
const subtreeSize = Rpc.make("subtreeSize", { payload: at, success: Models.SubtreeSize, error: ReadFailure })

/** Looks for names, or for text in data, below a path. Without `ignoreCase` capital letters matter. */
const search = Rpc.make("search", {
  payload: {
    ...at,
    text: Schema.String,
    inNames: Schema.Boolean,
    inData: Schema.Boolean,
    ignoreCase: Schema.Boolean,
    kind: Schema.optionalKey(Schema.Literals(["persistent", "ephemeral"]))
  },
  success: SearchModels.SearchEvent,
  error: ReadFailure,
  stream: true
})

/** The events at and below a path, in groups as they come. Needs ZooKeeper 3.6. */
const events = Rpc.make("events", {
  payload: at,
  success: Schema.Array(SearchModels.TreeEvent),
  error: ReadFailure,
  stream: true
})

// -----------------------------------------------------------------------------
// one znode
// -----------------------------------------------------------------------------

/** A znode, live, with the first `limit` bytes of its data. */
const znode = Rpc.make("znode", {
  payload: { ...at, limit: Schema.Int },
  success: Models.ZnodeEvent,
  error: ReadFailure,
  stream: true
})

/** Creates a znode. The success is its path, which has the number of a sequential one. Missing parents are an error. */
const create = Rpc.make("create", {
  payload: {
    ...at,
    data: Models.Bytes,
    mode: Models.CreateMode,
    /** Milliseconds, for the modes that have it. */
    ttl: Schema.optionalKey(Schema.Int),
    /** Missing: that of the parent. */
    acl: Schema.optionalKey(Schema.Array(Models.NewAclEntry)),
    /** Whether missing parents are created too. */
    parents: Schema.Boolean
  },
  success: Schema.Struct({ path, stat: Models.Stat }),
  error: EditFailure
})

/**
 * The znode that the person saw, by the transaction that created it: a znode that is deleted and created again begins at version
 * 0 again.
 */
const czxid = Models.Hex

/** Writes data, if the znode is still the one that the person saw, in that version. */
const save = Rpc.make("save", {
  payload: { ...at, czxid, version: Schema.Int, data: Models.Bytes },
  success: Models.Stat,
  error: EditFailure
})

/** Sets the ACL, if it is still that of the znode that the person saw, in that version (`aversion`). */
const saveAcl = Rpc.make("saveAcl", {
  payload: { ...at, czxid, aversion: Schema.Int, acl: Schema.Array(Models.NewAclEntry) },
  success: Models.Stat,
  error: EditFailure
})

/**
 * Deletes a znode, if it is still the one that the person saw, in that version. With `subtree` what is below goes too, if it is no more
 * than the person agreed to; a subtree is not deleted in one transaction.
 */
const remove = Rpc.make("remove", {
  payload: {
    ...at,
    czxid,
    version: Schema.Int,
    /** How many znodes the person was told, with the path itself. */
    subtree: Schema.optionalKey(Schema.Struct({ znodes: Schema.Int }))
  },
  success: Schema.Struct({ deleted: Schema.Int }),
  error: EditFailure
})

/**
 * A subtree as a compressed backup, which `zk restore` and `importSubtree` read. The hashes of passwords in ACLs are left out of
 * it.
 */
const exportSubtree = Rpc.make("exportSubtree", {
  payload: at,
  success: Models.ExportEvent,
  error: ReadFailure,
  stream: true
})

/**
 * Creates the znodes of a backup at and below `path`. No znode that is there is changed. A trial creates nothing, and counts
 * alone.
 */
const importSubtree = Rpc.make("importSubtree", {
  payload: { ...at, file: Models.Bytes, isTrial: Schema.Boolean },
  success: Models.Grafted,
  error: EditFailure
})

/** Creates a copy of the subtree at `path`, at and below `to`. No znode that is there is changed. A trial counts alone. */
const copySubtree = Rpc.make("copySubtree", {
  payload: { ...at, to: path, isTrial: Schema.Boolean },
  success: Models.Grafted,
  error: EditFailure
})

// -----------------------------------------------------------------------------
// ensemble, sessions, recipes
// -----------------------------------------------------------------------------

/** The members: the last hour, and then a sample every few seconds. It fails for no state of the members. */
const ensemble = Rpc.make("ensemble", {
  payload: { cluster },
  success: Ensemble.EnsembleEvent,
  error: ReadFailure,
  stream: true
})

/**
 * The configuration, at the beginning and when it has changed. Those that the console saw before come first, the oldest at the
 * beginning. Needs ZooKeeper 3.5.
 */
const ensembleConfig = Rpc.make("ensembleConfig", {
  payload: { cluster },
  success: Ensemble.EnsembleConfig,
  error: ReadFailure,
  stream: true
})

/**
 * The oddities of the ensemble, the worst first, as they were found in the last minute: all pages share one look. `isAnew` begins
 * another, unless one is running.
 */
const doctor = Rpc.make("doctor", {
  payload: { cluster, isAnew: Schema.Boolean },
  success: Schema.Array(Ensemble.Finding),
  error: ReadFailure
})

/** The answer of one member to a four-letter word that changes nothing, as it is. */
const fourLetterWord = Rpc.make("fourLetterWord", {
  payload: { cluster, server: Schema.String, word: Ensemble.Word },
  success: Schema.String,
  error: ReadFailure
})

/**
 * The sessions of which the id, the client or the server has the text of the filter, as far as the servers tell. The servers are
 * asked once for all pages, every few seconds at most. It fails with `Refused` where none tells any.
 */
const sessions = Rpc.make("sessions", {
  payload: { cluster, filter: Schema.String, limit: Schema.Int },
  success: SessionModels.Sessions,
  error: ReadFailure
})

/** One session, with its ephemeral znodes, by the same answer of the servers. */
const session = Rpc.make("session", {
  payload: { cluster, session: Models.Hex },
  success: SessionModels.SessionDetail,
  error: ReadFailure
})

/** The watches of one session, for which all servers are asked anew: that is costly where many watches are. */
const watches = Rpc.make("watches", {
  payload: { cluster, session: Models.Hex },
  success: SessionModels.SessionWatches,
  error: ReadFailure
})

/** Locks, elections, semaphores, leases and queues at and below a path, again and again. */
const recipes = Rpc.make("recipes", { payload: at, success: Ensemble.RecipeEvent, error: ReadFailure, stream: true })

/**
 * All requests of a page.
 *
 * @example
 * ```ts
 * import * as Protocol from "@effect-zookeeper/console/Protocol"
 * import * as Effect from "effect/Effect"
 * import * as RpcClient from "effect/rpc/RpcClient"
 * import * as Stream from "effect/Stream"
 *
 * export const names = Effect.gen(function* () {
 *   const server = yield* RpcClient.make(Protocol.Console)
 *   yield* server.directory({ cluster: "prod", path: "/app", limit: 200 }).pipe(
 *     Stream.runForEach((event) => (event._tag === "listed" ? Effect.log(event.names) : Effect.void))
 *   )
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Console = RpcGroup.make(
  hello,
  clusters,
  directory,
  directoryPage,
  rows,
  subtreeSize,
  search,
  events,
  znode,
  create,
  save,
  saveAcl,
  remove,
  exportSubtree,
  importSubtree,
  copySubtree,
  ensemble,
  ensembleConfig,
  doctor,
  fourLetterWord,
  sessions,
  session,
  watches,
  recipes
)
