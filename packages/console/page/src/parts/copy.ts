/** Puts a text on the clipboard, and says that it is there, or that the browser refuses. */
export const copy = (text: string, done: string, say: (text: string) => void): void => {
  Promise.resolve()
    .then(() => navigator.clipboard.writeText(text))
    .then(
      () => done,
      () => "The browser does not allow to copy it. Select the text, and copy it by its own keys."
    )
    .then(say, () => undefined)
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
