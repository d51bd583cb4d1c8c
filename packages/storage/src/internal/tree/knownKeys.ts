/** The names of the options of a data directory. */
import type { Options, TreeOptions } from "./model.ts"

export const directoryKeys: { readonly [K in keyof Options]-?: true } = { logDirectory: true, maxRecordSize: true }

export const treeKeys: { readonly [K in keyof TreeOptions]-?: true } = {
  ...directoryKeys,
  zxid: true,
  time: true,
  maxTreeSize: true
}
