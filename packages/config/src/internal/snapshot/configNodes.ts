/** The znodes of a snapshot as the nodes of a ConfigProvider. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type { DataDecoder } from "../../DataDecoder.ts"
import type { Snapshot, Znode } from "./model.ts"

/** The node at a path of a configuration, below the root of the snapshot; undefined if there is none. */
export const nodeAt = (
  { path: root, znodes }: Snapshot,
  path: ConfigProvider.Path,
  decoder: DataDecoder | undefined
): Effect.Effect<ConfigProvider.Node | undefined, ConfigProvider.SourceError> => {
  let at = root
  let znode = znodes.get(at)
  for (const segment of path) {
    const name = znode === undefined ? undefined : childName(znode.children, segment)
    if (name === undefined) return Effect.undefined
    at = ZnodePath.join(at, name)
    znode = znodes.get(at)
  }
  return znode === undefined ? Effect.undefined : toNode(at, znode, decoder)
}

// ---- internal

const toNode = (
  path: string,
  { children, data }: Znode,
  decoder: DataDecoder | undefined
): Effect.Effect<ConfigProvider.Node, ConfigProvider.SourceError> => {
  if (children.length === 0) return Effect.map(decode(path, data, decoder), ConfigProvider.makeValue)
  const value = data.byteLength === 0 ? Effect.undefined : decode(path, data, decoder)
  const elements = elementsOf(children)
  return Effect.map(value, (text) =>
    elements === undefined
      ? ConfigProvider.makeRecord(new Set(children), text)
      : ConfigProvider.makeArray(elements.length, text)
  )
}

/** The name of the child that a segment of a path means: the name itself, or the index in an array. */
const childName = (children: ReadonlyArray<string>, segment: string | number): string | undefined => {
  const name = String(segment)
  if (children.includes(name)) return name
  return isIndex(name) ? elementsOf(children)?.[Number(name)] : undefined
}

/** The names of the elements in their order, if these are the children of an array. */
const elementsOf = (children: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (children.every((name) => sequenceNumber.test(name))) return children.toSorted()
  if (!children.every(isIndex)) return undefined
  const elements = children.toSorted((a, b) => Number(a) - Number(b))
  return elements.every((name, index) => Number(name) === index) ? elements : undefined
}

/** The name that a server gives to a sequential znode without a prefix. */
const sequenceNumber = /^\d{10}$/

const isIndex = (name: string): boolean => /^(0|[1-9]\d{0,8})$/.test(name)

const decode = (
  path: string,
  data: Uint8Array,
  decoder: DataDecoder | undefined
): Effect.Effect<string, ConfigProvider.SourceError> => {
  if (decoder === undefined) return toText(path, data)
  return decoder.decodeData(path, data).pipe(
    Effect.mapError(
      ({ message }) => new ConfigProvider.SourceError({ message: `${Printable.escape(path)}: ${message}` })
    ),
    Effect.flatMap((decoded) => toText(path, decoded))
  )
}

const toText = (path: string, data: Uint8Array): Effect.Effect<string, ConfigProvider.SourceError> =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(data),
    catch: () => new ConfigProvider.SourceError({ message: `the data of ${Printable.escape(path)} is not UTF-8` })
  })
