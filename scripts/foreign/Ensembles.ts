/**
 * Embedded servers that are started and stopped member by member, as the processes that suites of other clients start: each
 * member by the `zoo.cfg` that the suite has written for it.
 *
 * An ensemble begins to serve when each of its members has been started once, because only then all their ports are known. As
 * long as its data folders are there, it has its znodes: a member leaves a mark in its folder.
 */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import type { ListenError } from "@effect-zookeeper/server/ListenError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { ZooCfg } from "./zooCfg.ts"

interface Ensemble {
  readonly scope: Scope.Closeable
  /** The client ports of the members that have been started, by their ids. */
  readonly ports: Map<number, number>
  readonly running: Set<number>
  server: EmbeddedServer.EmbeddedServer["Service"] | undefined
}

export interface Settings {
  readonly version: EmbeddedServer.Version
  readonly superDigest: string | undefined
  readonly readOnlyMode: boolean
}

export class Ensembles {
  private readonly scope: Scope.Scope
  private readonly all = new Map<string, Ensemble>()
  private readonly turn = Semaphore.makeUnsafe(1)

  constructor(scope: Scope.Scope) {
    this.scope = scope
  }

  /** Starts a member, and gives the effect that stops it. */
  start(config: ZooCfg, settings: Settings): Effect.Effect<Effect.Effect<void>, ListenError> {
    return this.turn.withPermits(1)(this.startMember(config, settings))
  }

  private readonly startMember = Effect.fnUntraced(
    { self: this },
    function* (
      this: Ensembles,
      config: ZooCfg,
      settings: Settings
    ): Effect.fn.Return<Effect.Effect<void>, ListenError> {
      const ids = config.servers.size === 0 ? [1] : [...config.servers.keys()]
      const key = config.servers.size === 0 ? config.dataDir : JSON.stringify([...config.servers])
      const mark = Path.join(config.dataDir, "embedded")
      const former = this.all.get(key)
      const isGone = former?.running.size === 0 && !Fs.existsSync(mark)
      if (former !== undefined && isGone) yield* Scope.close(former.scope, Exit.void)
      const ensemble = former !== undefined && !isGone ? former : yield* this.make
      this.all.set(key, ensemble)
      Fs.writeFileSync(mark, "")
      ensemble.ports.set(config.id, config.clientPort)
      ensemble.running.add(config.id)
      if (ensemble.server !== undefined) yield* ensemble.server.start(ids.indexOf(config.id))
      else if (ids.every((id) => ensemble.ports.has(id)))
        ensemble.server = yield* serve(ensemble, ids, config, settings)
      return this.turn.withPermits(1)(
        Effect.suspend(() => {
          ensemble.running.delete(config.id)
          return ensemble.server?.stop(ids.indexOf(config.id)) ?? Effect.void
        })
      )
    }
  )

  private readonly make = Effect.suspend(() =>
    Effect.map(Scope.fork(this.scope), (scope): Ensemble => ({
      scope,
      ports: new Map(),
      running: new Set(),
      server: undefined
    }))
  )
}

const serve = Effect.fnUntraced(function* (
  ensemble: Ensemble,
  ids: ReadonlyArray<number>,
  { reconfigEnabled, syncLimit, tickTime }: ZooCfg,
  { readOnlyMode, superDigest, version }: Settings
) {
  const options: EmbeddedServer.ListenOptions = {
    members: ids.length,
    port: ids.map((id) => ensemble.ports.get(id) ?? 0),
    tickTime,
    syncLimit,
    reconfigEnabled,
    version,
    superDigest,
    readOnlyMode
  }
  const context = yield* Layer.buildWithScope(EmbeddedServer.layer(options), ensemble.scope)
  const server = Context.get(context, EmbeddedServer.EmbeddedServer)
  for (const [index, id] of ids.entries()) if (!ensemble.running.has(id)) yield* server.stop(index)
  return server
})
