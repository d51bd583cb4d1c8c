/**
 * Names that are no longer used, and what the things are called instead.
 *
 * Once a thing has the field's word, another name for it is a mistake: `check` refuses it where `areNamesEnforced` is true.
 */
export interface OldName {
  /** A file or folder, or what a file declares. */
  readonly kind: "file" | "name"
  /** Below `packages`. */
  readonly within: string
  readonly old: string
  readonly instead: string
}

/** Until everything has its new name they are only shown, by `npx -y pnpm@12 prose names`. */
export const areNamesEnforced: boolean = false

const list = (kind: OldName["kind"], rows: string): ReadonlyArray<OldName> =>
  rows
    .trim()
    .split("\n")
    .map((row) => {
      const [within = "", old = "", instead = ""] = row.trim().split(" ")
      return { kind, within, old, instead }
    })

export const names: ReadonlyArray<OldName> = [
  ...list(
    "file",
    `
      session/src Few SmallSet
      session/src Deque RingQueue
      session/src CallOut guardCallback
      session/src Alarm TimerQueue
      session/src Meter MetricsReporter
      session/src StateCell SessionStateRef
      session/src Violation ProtocolViolation
      session/src Exchange RequestPipeline
      session/src Link FramedConnection
      session/src connectionLoop reconnect
      session/src dial handshake
      session/src authenticate saslHandshake
      session/src runLink serveConnection
      session/src seekWritable findWritableServer
      session/src endable cancellable
      session/src exposure credentialPolicy
      session/src Identities AuthInfos
      session/src annotated logAnnotations
      session/src SessionCore SessionMachine
      session/src watchPackets setWatches
      client/src PromiseFace PromiseAdapter
      client/src Direct directRequest
      client/src answers replyErrors
      client/src arguments validate
      client/src observe tracing
      client/src values data
      client/src versions versionMemory
      recipes/src/internal line locks/ContenderQueue
      recipes/src/internal holding locks/ownership
      recipes/src/internal using locks/guard
      recipes/src/internal slots locks/leaseSlots
      recipes/src/internal allocating allocation
      recipes/src/internal taking queues/takeWithLock
      recipes/src/internal witness values/exactlyOnce
      recipes/src/internal entries queues/entryFormat
      recipes/src/internal store queues/makeQueue
      recipes/src/internal queue queues/queueOps
      recipes/src/internal calmly shared/backoff
      recipes/src/internal patience shared/retry
      recipes/src/internal watching shared/watches
      recipes/src/internal dataOf shared/dataCodec
      recipes/src/internal checks shared/validate
      recipes/src/internal Mirror caches/CacheState
      recipes/src/internal Agenda caches/RefreshQueue
      recipes/src/internal audience caches/EventBroadcaster
      recipes/src/internal looking caches/nodeReader
      recipes/src/internal picture caches/TreeSnapshot
      recipes/src/internal tend caches/runCache
      recipes/src/internal keeping persistentNode
      recipes/src/internal faces promise
      recipes/src/internal face promise/adapt
      server/src Core ServerRuntime
      server/src Peer ServerConnection
      server/src tcpDoor tcpListener
      server/src memoryDoor memoryListener
      server/src Draft SpeculativeTree
      server/src FaultBox FaultRules
      test-kit/src Liar LyingServer
      test-kit/src harms faultActions
      test-kit/src Wiretap FrameRecorder
      test-kit/src Subject SystemUnderTest
      test-kit/src Evidence Observations
      test-kit/src Contender TrialWorker
      test-kit/src Expecting ScriptedExpectations
      test-kit/src TestTable GuaranteeTable
      test-kit/src HostileWorld AdversarialServer
    `
  ),
  ...list(
    "name",
    `
      session/src Few SmallSet
      session/src Deque RingQueue
      session/src Violation ProtocolViolation
      session/src Exchange RequestPipeline
      session/src Established HandshakeResult
      session/src isStandIn isProvisional
      session/src patience expiryTimeout
      session/src goodbye closeSession
      client/src Whole Opaque
      client/src derive promisify
      client/src isFollowed isSessionReplaced
      client/src persistently retryWithBackoff
      recipes/src Line ContenderQueue
      recipes/src Witness Marker
      recipes/src Agenda RefreshQueue
      recipes/src Mirror CacheState
      recipes/src Audience EventBroadcaster
      recipes/src Kept NodeState
      recipes/src patiently retryTransient
      recipes/src orRenewed orIfSessionReplaced
      recipes/src takeAway removeLock
      server/src Peer ServerConnection
      server/src Draft SpeculativeTree
      server/src Sketch ZnodeView
      server/src Moment Timestamps
      test-kit/src Wiretap FrameRecorder
      test-kit/src Contender TrialWorker
    `
  )
]
