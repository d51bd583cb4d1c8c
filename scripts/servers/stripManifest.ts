/**
 * A jar without the manifest that names other jars by absolute paths: Debian's jars would load those that the system has
 * installed, whatever their release.
 */

const manifest = Buffer.from("META-INF/MANIFEST.MF")

/** The name has as many bytes: all offsets in the archive stay as they are. */
const hidden = Buffer.from("META-INF/MANIFEST.XX")

/** The signature of a ZIP header, and how far behind it the name of the file is: of a file itself, and of its entry in the index. */
const headers = [
  { signature: 0x04034b50, nameAt: 30 },
  { signature: 0x02014b50, nameAt: 46 }
]

/** Renames the manifest in both places where a ZIP archive has the name. Returns a copy. */
export const stripManifest = (jar: Uint8Array): Uint8Array => {
  const bytes = Buffer.from(jar)
  for (let at = bytes.indexOf(manifest); at !== -1; at = bytes.indexOf(manifest, at + 1)) {
    const isName = headers.some(
      ({ nameAt, signature }) => at >= nameAt && bytes.readUInt32LE(at - nameAt) === signature
    )
    if (isName) hidden.copy(bytes, at)
  }
  return bytes
}
