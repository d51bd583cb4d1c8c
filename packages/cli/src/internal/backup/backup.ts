/** `zk backup`: a live tree into one file. */
import { Backup } from "@effect-zookeeper/storage"
import * as Effect from "effect/Effect"
import * as StorageOutput from "../../StorageOutput.ts"
import { Client } from "../frame/Client.ts"
import { printOne, Printer } from "../output/Printer.ts"
import { count, ofData, shown } from "../output/text.ts"
import { withProgress } from "../output/progress.ts"
import { reportUnfinished } from "../output/unfinished.ts"
import { openAclReaders } from "./aclReaders.ts"
import { ownersIn } from "./owners.ts"

export interface Input {
  readonly path: string
  readonly file: string
  readonly data: string | undefined
  readonly logs: string | undefined
  readonly skip: boolean
  readonly restart: boolean
  readonly force: boolean
}

export const backup = Effect.fnUntraced(function* ({ data, file, force, logs, path, restart, skip }: Input) {
  const client = yield* Client
  const zk = yield* client.reader
  const aclReaders = yield* openAclReaders(client, zk, path)
  const owners = yield* ownersIn({ data, logs }, client.settings.chroot)
  const { note } = yield* Printer
  let hasRead = false
  const kept = `what was read is kept in ${shown(`${file}.partial`)}; the same command ${restart ? "without --restart " : ""}goes on with it`
  const { header, resumed } = yield* withProgress((onProgress) =>
    Backup.make(zk, file, {
      path,
      aclReaders,
      owners,
      unreadable: skip ? "skip" : "fail",
      resume: !restart,
      overwrite: force,
      onProgress: (progress) => {
        hasRead ||= progress.done > 0
        onProgress(progress)
      }
    }).pipe(reportUnfinished(Effect.suspend(() => (hasRead ? note(kept) : Effect.void))))
  )
  if (resumed > 0) yield* note(`${count(resumed, "znode")} came from the run before`)
  for (const left of header.unreadable) yield* note(`${shown(left)} may not be read, and is missing`)
  if (!header.isConsistent) yield* note("the tree was written to all the time: the znodes are not all of one moment")
  yield* printBackup({ file, ...header })
})

export const printBackup = (made: typeof StorageOutput.Backup.Type) =>
  printOne(
    StorageOutput.Backup,
    made,
    ({ bytes, ephemerals, file, from, path, to, znodes }) =>
      `${shown(path)} at zxid ${from === to ? to : `${from} to ${to}`}: ${count(znodes, "znode")}${ephemerals > 0 ? ` (${ephemerals} ephemeral)` : ""}, ${ofData(bytes)}, in ${shown(file)}\n`
  )
