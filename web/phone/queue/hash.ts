// SHA-256 as the server writes it. WebCrypto works beside the main thread, so a photo of 12 MB stops no finger.

export async function sha256(bytes: BufferSource | Blob): Promise<string> {
  const whole = bytes instanceof Blob ? await bytes.arrayBuffer() : bytes
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
