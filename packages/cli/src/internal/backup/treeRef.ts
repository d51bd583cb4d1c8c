/**
 * How a command line names a tree:
 *
 * - `/app`: that of the command's own servers.
 * - `@prod/app`: that of a profile.
 * - `zk://host:2181/app`: that of other servers, without credentials.
 * - `backup:FILE`, `snapshot:FILE`, `data:DIRECTORY`, `data:DIRECTORY@0x1f`, `data:DIRECTORY@2026-01-31T12:00:00Z`; a subtree with
 *   `#/path` at the end. `data:DIRECTORY,LOGS` has the logs of a server with a `dataLogDir`.
 */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { InvalidArgument, ReadError } from "@effect-zookeeper/client/Errors"
import {
  type FileAccessError,
  type IncompleteDirectory,
  type MalformedFile,
  TreeSource
} from "@effect-zookeeper/storage"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type * as Stdio from "effect/Stdio"
import { Client, make as makeClient, type Reader } from "../frame/Client.ts"
import { CurrentZnode, resolvePath } from "../frame/CurrentZnode.ts"
import { UsageError } from "../frame/errors.ts"
import type { GlobalFlags } from "../frame/globalFlags.ts"
import { ofProfile, ofServers, type Settings } from "../frame/Settings.ts"
import type { Printer } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { parseMoment } from "../files/moment.ts"
import { readAt, readOptions, withReading } from "../files/reading.ts"
import { openAclReaders } from "./aclReaders.ts"

/** A tree that is live. */
interface Live {
  readonly _tag: "Live"
  readonly client: { readonly profile: string } | { readonly servers: string } | undefined
  readonly path: string
}

interface File {
  readonly _tag: "File"
  readonly kind: "backup" | "snapshot" | "data"
  readonly file: string
  readonly path: string | undefined
}

type Ref = Live | File

/** The errors of reading a tree, wherever it is. */
export type SourceError = ReadError | FileAccessError | MalformedFile

/** The tree that a text names. */
export const openSource = Effect.fnUntraced(function* (
  text: string
): Effect.fn.Return<
  TreeSource.TreeSource<SourceError, FileSystem.FileSystem>,
  SourceError | UsageError | InvalidArgument | IncompleteDirectory | ZooKeeper.StartError,
  Client | FileSystem.FileSystem | Path.Path | Printer | Scope.Scope | Stdio.Stdio | GlobalFlags
> {
  const ref = yield* parse(text)
  if (ref._tag === "Live") {
    const client = yield* clientOf(ref)
    const zk: Reader = yield* client.reader
    return TreeSource.live(zk, { path: ref.path, aclReaders: yield* openAclReaders(client, zk, ref.path) })
  }
  const options = { ...(yield* readOptions), path: ref.path }
  switch (ref.kind) {
    case "backup":
      return yield* withReading([ref.file], TreeSource.backup(ref.file, options))
    case "snapshot":
      return yield* withReading([ref.file], TreeSource.snapshot(ref.file, options))
    case "data": {
      const [, folders = ref.file, at] = /^(.+)@([^@/]+)$/.exec(ref.file) ?? []
      const [, directory = folders, logs] = /^(.+),(.+)$/.exec(folders) ?? []
      const { tree } = yield* readAt({ directory, logs }, yield* parseMoment(at))
      const name = `${directory} at zxid ${Hex64.format(tree.zxid)}`
      return TreeSource.fromTree(tree, { path: ref.path, name })
    }
  }
})

/** The live tree that a text names, to be written to. `read` is enough for a dry run. */
export const openTarget = Effect.fnUntraced(function* (command: string, text: string) {
  const ref = yield* parseLive(text)
  const client = yield* clientOf(ref)
  const aclReaders = (zk: Reader) => openAclReaders(client, zk, ref.path)
  return { path: ref.path, read: client.reader, write: client.writer(command), aclReaders }
})

/** Both ends of something that goes on for long, whose clients begin new sessions after an expiry. */
export const openFollowing = Effect.fnUntraced(function* (command: string, text: string, writes: boolean) {
  const ref = yield* parseLive(text)
  const { settings } = yield* clientOf(ref)
  // The source is only read, whether or not its profile allows writes.
  const client = writes ? makeClient(settings) : makeClient({ ...settings, readOnly: undefined })
  const zk: ZooKeeper.Service = yield* client.holder(command, following)
  return { path: ref.path, zk }
})

/**
 * Refuses a live target that is in the tree that is read, or has it in it, before a question is asked. Where the two have other
 * names for the same servers, the library finds it.
 */
export const refuseOverlap = Effect.fnUntraced(function* (sourceText: string, targetText: string) {
  const [source, target] = [yield* parse(sourceText), yield* parse(targetText)]
  if (source._tag !== "Live" || target._tag !== "Live") return
  const [from, to] = [(yield* clientOf(source)).settings, (yield* clientOf(target)).settings]
  const servers = new Set(from.servers.split(","))
  if (!to.servers.split(",").some((server) => servers.has(server))) return
  const read = ZnodePath.toServer(from.chroot, source.path)
  const written = ZnodePath.toServer(to.chroot, target.path)
  if (read === written) return yield* new UsageError({ message: "the source and the target are the same tree" })
  if (ZnodePath.isUnder(read, written)) {
    const message = `${shown(targetText)} is in the tree that is read, ${shown(sourceText)}: the copy would be copied again, without end`
    return yield* new UsageError({ message })
  }
  if (ZnodePath.isUnder(written, read)) {
    const message = `${shown(targetText)} has the tree that is read in it, ${shown(sourceText)}: the copy would be written over it`
    return yield* new UsageError({ message })
  }
})

// ---- internal

const following = { sessionTimeout: Duration.seconds(30), ownershipMargin: Duration.seconds(3) }

const clientOf = Effect.fnUntraced(function* ({ client }: Live) {
  const own = yield* Client
  if (client === undefined) return own
  const settings: Settings =
    "profile" in client
      ? yield* ofProfile(client.profile, own.settings)
      : yield* ofServers(client.servers, own.settings)
  return makeClient(settings)
})

const parseLive = Effect.fnUntraced(function* (text: string) {
  const ref = yield* parse(text)
  if (ref._tag === "Live") return ref
  return yield* new UsageError({
    message: `${JSON.stringify(text)} is a file; name a live tree: /path, @profile/path or zk://servers/path`
  })
})

const parse = (text: string) => Effect.flatMap(CurrentZnode, (current) => parseAt(current, text))

/** At the prompt of `zk shell`, what is no other form is a path that starts at its znode. */
const parseAt = (current: string | undefined, text: string): Effect.Effect<Ref, UsageError> => {
  if (text.startsWith("/") || (current !== undefined && !/^(@|\w+:)/.test(text))) {
    return Effect.succeed({ _tag: "Live", client: undefined, path: resolvePath(current, text) })
  }
  const [, profile, below] = /^@([^/]+)(\/.*)?$/.exec(text) ?? []
  if (profile !== undefined) return Effect.succeed({ _tag: "Live", client: { profile }, path: below ?? "/" })
  const [, servers, path] = /^zk:\/\/([^/]+)(\/.*)?$/.exec(text) ?? []
  if (servers !== undefined) return Effect.succeed({ _tag: "Live", client: { servers }, path: path ?? "/" })
  const [, kind, file, subtree] = /^(backup|snapshot|data):([^#]+)(?:#(.*))?$/.exec(text) ?? []
  if ((kind === "backup" || kind === "snapshot" || kind === "data") && file !== undefined) {
    if (subtree === undefined || ZnodePath.check(subtree) === undefined) {
      return Effect.succeed({ _tag: "File", kind, file, path: subtree })
    }
  }
  return Effect.fail(
    new UsageError({
      message: `${JSON.stringify(text)} names no tree; write /path, @profile/path, zk://servers/path, backup:FILE, snapshot:FILE or data:DIRECTORY, each file with #/path for a subtree`
    })
  )
}
