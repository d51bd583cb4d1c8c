/**
 * Names that are no longer used, and what the things are called instead.
 *
 * Once a thing has the field's word, another name for it is a mistake: `check` refuses it.
 */
interface OldName {
  /** A file or folder, or what a file declares. */
  readonly kind: "file" | "name"
  /** Below `packages`. */
  readonly within: string
  readonly old: string
  readonly instead: string
}

const list = (kind: OldName["kind"], rows: string): ReadonlyArray<OldName> =>
  rows
    .trim()
    .split("\n")
    .map((row) => {
      const [within = "", old = "", instead = ""] = row.trim().split(" ")
      return { kind, within, old, instead }
    })
    // A name that was replaced here too, by whatever replaced it everywhere.
    .filter(({ instead, old }) => old !== instead.split("/").at(-1))

/** Files that have the name of what they declare: both are replaced. */
const filesAndNames = (rows: string): ReadonlyArray<OldName> =>
  list("file", rows).flatMap((file) => [file, { ...file, kind: "name", instead: file.instead.split("/").at(-1)! }])

export const names: ReadonlyArray<OldName> = [
  ...filesAndNames(
    `
      recipes/src Agenda caches/RefreshQueue
      recipes/src Mirror caches/CacheState
      server/src Core net/ServerRuntime
      server/src Draft state/SpeculativeTree
      server/src FaultBox net/FaultRules
      server/src Faults simulation/ActiveFaults
      server/src Peer net/ServerConnection
      server/src Wire simulation/SimulatedConnection
      server/src World simulation/EventLoop
      session/src Alarm time/TimerQueue
      session/src Attempts reconnect/ConnectAttempts
      session/src Closing CloseCoordinator
      session/src Deque requests/RingQueue
      session/src Exchange requests/RequestPipeline
      session/src Few watches/SmallSet
      session/src Identities auth/AuthInfos
      session/src Link connection/FramedConnection
      session/src Meter metrics/MetricsReporter
      session/src Pacer reconnect/ReconnectBackoff
      session/src Proofs ownership/OwnershipProofs
      session/src SessionCore SessionMachine
      session/src StateCell SessionStateRef
      session/src Violation requests/ProtocolViolation
      session/src WatchRegistration watches/WatchRestorer
      session/src connectionLoop reconnect/reconnectLoop
      session/src runLink connection/ServerConnection
      session/src serveConnection connection/ServerConnection
      session/src seekWritable reconnect/findWritableServer
      test-kit/src Contender trial/TrialClient
      test-kit/src Evidence simulation/Observations
      test-kit/src Exclusion simulation/recipes/MutualExclusion
    `
  ),
  ...list(
    "file",
    `
      client/src Direct promise/directRequest
      client/src PromiseFace PromiseAdapter
      client/src answers replyErrors
      client/src arguments validate
      client/src calls promise/PromiseRunner
      client/src checkCall promise/checkCallOptions
      client/src durable operations/durableWrite
      client/src observe tracing
      client/src values data
      client/src versions versionMemory
      protocol/src ErrorFace ErrorClass
      protocol/src OperationMulti operations/multi
      protocol/src OperationSession operations/session
      protocol/src OperationZnode operations/znode
      recipes/src allocating allocation
      recipes/src audience caches/EventBroadcaster
      recipes/src birth shared/deleteByCzxid
      recipes/src cache caches
      recipes/src calmly shared/backoff
      recipes/src closing persistentNode/close
      recipes/src creating persistentNode/create
      recipes/src dataOf shared/dataCodec
      recipes/src entries queues/entryFormat
      recipes/src face promise/adapt
      recipes/src faces promise
      recipes/src holding locks/ownership
      recipes/src instanceData discovery/instanceCodec
      recipes/src joining party/join
      recipes/src keeper persistentNode/keepAlive
      recipes/src keeping persistentNode
      recipes/src kept persistentNode/NodeState
      recipes/src layout locks/nodeNames
      recipes/src line locks/ContenderQueue
      recipes/src looking caches/nodeReader
      recipes/src marking queues/itemLock
      recipes/src naming party/layouts
      recipes/src patience shared/retry
      recipes/src picture caches/TreeSnapshot
      recipes/src queue queues/queueOps
      recipes/src remedies persistentNode/retryTriggers
      recipes/src slotWriting locks/leaseSlotWrites
      recipes/src slots locks/leaseSlots
      recipes/src store queues/makeQueue
      recipes/src taking queues/takeWithLock
      recipes/src tend caches/runCache
      recipes/src touching persistentNode/ttl
      recipes/src using locks/guard
      recipes/src view party/MembershipView
      recipes/src watching shared/watches
      recipes/src witness values/exactlyOnce
      server/src Access state/AccessControl
      server/src Change state/Transaction
      server/src Pipe simulation/PacketQueue
      server/src memoryDoor net/memoryListener
      server/src operations requests
      server/src tcpDoor net/tcpListener
      session/src CallOut guardCallback
      session/src annotated SessionLog
      session/src authenticate connection/saslHandshake
      session/src dial connection/handshake
      session/src endable reconnect/cancellable
      session/src ensembleBehind reconnect/EnsembleBehindDetector
      session/src exposure auth/credentialPolicy
      session/src logAnnotations SessionLog
      session/src search reconnect/searchServers
      session/src watchPackets watches/setWatches
      test-kit/src ClientWorld simulation/ClientSimulation
      test-kit/src Expecting Expectations
      test-kit/src HostileWorld fuzz/AdversarialServer
      test-kit/src Liar simulation/LyingServer
      test-kit/src RecipeWorld simulation/RecipeSimulation
      test-kit/src Steadiness trial/ResourceTrend
      test-kit/src Subject simulation/SimulatedClient
      test-kit/src TestTable TraceabilityTable
      test-kit/src Wiretap simulation/FrameRecorder
      test-kit/src harms simulation/faultActions
      test-kit/src memory MemoryUse
      test-kit/src standing server/awaitStopped
      test-kit/src verdict simulation/judge
      transport/src dial connect
      transport/src reading read
    `
  ),
  ...list(
    "name",
    `
      client/src Calls PromiseRunner
      client/src DeriveOptions PromisifyOptions
      client/src Direct DirectRequest
      client/src Durable DurableWrite
      client/src FaceOptions AdapterOptions
      client/src Look ReadAndWatch
      client/src Told LastEmitted
      client/src Versions VersionMemory
      client/src Whole Opaque
      client/src WholeTypeId OpaqueTypeId
      client/src derive promisify
      client/src isFollowed isSessionReplaced
      client/src persistently backoff
      protocol/src ErrorClass ErrorConstructor
      recipes/src AboutZnodes StateConflict
      recipes/src Alarm OnWatchFired
      recipes/src Allocating Allocation
      recipes/src Audience EventBroadcaster
      recipes/src Carried OpaqueItem
      recipes/src Core QueueOps
      recipes/src DeleteBornError DeleteByCzxidError
      recipes/src Division AllocationInputs
      recipes/src HeldHere HeldByFiber
      recipes/src Identified IdentifiedContender
      recipes/src Known KnownTree
      recipes/src Line ContenderQueue
      recipes/src Listing ChildListVersion
      recipes/src LookError ReadError
      recipes/src Looking ObservedPool
      recipes/src Needs Requirements
      recipes/src Owned OwnedItem
      recipes/src Place Position
      recipes/src Pool MarkerPool
      recipes/src Release Released
      recipes/src Seen SlotState
      recipes/src Standing CacheStatus
      recipes/src Trouble ReadFailure
      recipes/src Until WithDeadline
      recipes/src Wants ReadFlags
      recipes/src Witness Marker
      recipes/src acrossSessions retryAcrossSessions
      recipes/src derive promisify
      recipes/src inHand awaitDetached
      recipes/src leaveInBackground deleteInBackground
      recipes/src orRenewed orIfSessionReplaced
      recipes/src patiently retryTransient
      recipes/src takeAway removeLock
      recipes/src untilRenewed untilSessionReplaced
      recipes/src watched watchScoped
      server/src CoreSettings RuntimeSettings
      server/src Entry TraceEntry
      server/src Pipe MemoryPipe
      server/src Sketch ZnodeView
      server/src Surroundings NetworkConditions
      server/src Welcome HandshakeResult
      server/src Where ConnectionFilter
      session/src CallOut GuardCallback
      session/src EnsembleBehind EnsembleBehindDetector
      session/src Identity AuthEntry
      session/src LinkOptions FramedConnectionOptions
      session/src News SearchEvent
      session/src Outlet WritableConnection
      session/src Searching ServerSearch
      session/src Seen ProbeAnswer
      session/src Sign AnsweredRequest
      session/src Writing WriteListener
      session/src makeCallOut makeGuardCallback
      session/src makeLink makeConnection
      session/src withLogAnnotations SessionLog
      test-kit/src Accuse AddViolation
      test-kit/src Harm FaultAction
      test-kit/src Hostility Corruption
      test-kit/src Inside CurrentHolder
      test-kit/src Named TestReference
      test-kit/src Reached ReachableClient
      test-kit/src Stage Environment
      test-kit/src Tap ConnectionRecorder
      test-kit/src Truth ZnodesByPath
      test-kit/src Victims FaultTargets
      test-kit/src Violation InvariantViolation
      test-kit/src Way Endpoint
      test-kit/src awaitStrangers awaitOtherSessionsGone
      test-kit/src untilStanding awaitStopped
      transport/src Exposure ConnectionSecurity
    `
  )
]
