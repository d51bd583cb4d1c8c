/** Subtrees that are created from a file or as copies. No znode that is there is changed. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Restore from "@effect-zookeeper/storage/Restore"
import * as TreeSource from "@effect-zookeeper/storage/TreeSource"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Grafted } from "../../Models.ts"
import { type EditFailure, Refused } from "../../ProtocolError.ts"
import { isMasked } from "../edits/acl.ts"
import type { ClientError } from "../failures.ts"
import * as limits from "../limits.ts"
import { countZnodes } from "../tree/search.ts"
import { toGraftFailure } from "./failures.ts"

/** `file` is a backup, compressed or not. */
export const importSubtree = (
  zk: Service,
  to: string,
  file: Uint8Array,
  isTrial: boolean
): Effect.Effect<Grafted, EditFailure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    if (file.length > limits.imported) {
      return yield* tooMuch(`the file has ${file.length} bytes, and the console takes ${limits.imported}`)
    }
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "zk-ui-" })
    const isCompressed = file[0] === 0x1f && file[1] === 0x8b
    const name = `${folder}/subtree.ndjson${isCompressed ? ".gz" : ""}`
    yield* fs.writeFile(name, file)
    return yield* graft(zk, yield* TreeSource.backup(name), to, isTrial)
  }).pipe(Effect.scoped, Effect.mapError(toGraftFailure))

/** A copy of a subtree within an ensemble. */
export const copySubtree = (
  zk: Service,
  from: string,
  to: string,
  isTrial: boolean
): Effect.Effect<Grafted, EditFailure> =>
  Effect.gen(function* () {
    // A walk would find its own copies for ever.
    if (ZnodePath.isUnder(from, to) || ZnodePath.isUnder(to, from)) {
      return yield* new Refused({
        reason: "invalid",
        message: `${from} cannot be copied to ${to}: one is in the other`
      })
    }
    const znodes = yield* countZnodes(zk, from)
    if (znodes > limits.grafted) return yield* tooMany(`${from} has ${znodes} znodes`)
    return yield* graft(zk, TreeSource.live(zk, { path: from, concurrency: 64 }), to, isTrial)
  }).pipe(Effect.mapError(toGraftFailure))

// ---- internal

const graft = <E extends ClientError, R>(
  zk: Service,
  source: TreeSource.TreeSource<E, R>,
  to: string,
  isTrial: boolean
) =>
  Effect.gen(function* () {
    if (Result.isFailure(ZnodePath.validate(to)) || to === "/") {
      return yield* new Refused({ reason: "invalid", message: `${JSON.stringify(to)} is no path for a subtree` })
    }
    const inherited = yield* aclAbove(zk, to)
    let created = 0
    let kept = 0
    let leftOut = 0
    let withOtherAcl = 0
    const others = new Set<string>()
    const note = (step: Restore.Step): void => {
      switch (step._tag) {
        case "Create":
          created++
          if (others.has(step.path)) withOtherAcl++
          return
        case "Same":
        case "Leave":
        case "Overwrite":
          if (step._tag === "Leave" && step.reason === "belowEphemeral") leftOut++
          else kept++
          return
        case "Skip":
          leftOut++
      }
    }
    let seen = 0
    const bounded: TreeSource.TreeSource<E | Refused, R> = {
      ...source,
      // The number of znodes in the header of a file may be wrong.
      entries: Stream.tap(source.entries, () =>
        ++seen > limits.grafted ? tooMany("the subtree has more znodes") : Effect.void
      )
    }
    const options: Restore.Options = {
      path: to,
      overwrite: "never",
      concurrency: 64,
      maxRaise: 10_000,
      acl: (acl, path) => {
        if (!acl.some(isMasked)) return acl
        others.add(path === source.root ? to : to + path.slice(source.root === "/" ? 0 : source.root.length))
        return inherited
      }
    }
    if (isTrial) yield* Stream.runForEach(Restore.plan(bounded, zk, options), (step) => Effect.sync(() => note(step)))
    else yield* Restore.run(bounded, zk, { ...options, onStep: note })
    return { created, kept, leftOut, withOtherAcl }
  })

/** The ACL of the next znode above that is there. */
const aclAbove = (zk: Service, path: string): Effect.Effect<ReadonlyArray<Acl.Acl>, ReadError> => {
  const parent = ZnodePath.parent(path)
  return parent === undefined
    ? Effect.succeed(Acl.open)
    : zk.getAcl(parent).pipe(
        Effect.map(({ acl }) => acl),
        Effect.catchTags({ NoNode: () => aclAbove(zk, parent) })
      )
}

const tooMany = (found: string) => tooMuch(`${found}, and the console creates ${limits.grafted}`)

const tooMuch = (found: string): Effect.Effect<never, Refused> =>
  Effect.fail(new Refused({ reason: "tooMuch", message: `${found} at most; use \`zk restore\` or \`zk copy\`` }))
