/** Puts a text on the clipboard, and calls back when it is there. */
export const copy = (text: string, then: () => void): void => {
  navigator.clipboard.writeText(text).then(then, () => undefined)
}

/** Offers bytes as a file. */
export const download = (name: string, parts: ReadonlyArray<Uint8Array<ArrayBuffer>>): void => {
  const address = URL.createObjectURL(new Blob([...parts], { type: "application/octet-stream" }))
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
