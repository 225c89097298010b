// PDF.js, asked for when the first paper is opened and then kept by the service worker. Its older build, for the browsers
// of older phones. Papers are read in a worker of our own origin; nothing in one is run: no scripts, no forms, and nothing
// of PDF.js itself is made by eval or as WebAssembly, which our content policy would stop.
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import Reader from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?worker'
import { version } from 'pdfjs-dist/package.json'

GlobalWorkerOptions.workerPort = new Reader()
/** What only some papers need: tables of Chinese fonts that are not in the file, two rarer kinds of scans. See build/pdf.ts. */
const MORE = `${import.meta.env.BASE_URL}pdf/${version}/`

export type Open = PDFDocumentProxy

export function openPdf(bytes: Uint8Array<ArrayBuffer>): Promise<Open> {
  // What is handed over is gone here: the copy is for the worker.
  return getDocument({ data: bytes.slice(), cMapUrl: MORE, wasmUrl: MORE, useWasm: false, enableXfa: false, useSystemFonts: true, verbosity: 0 }).promise
}

const MOST_PIXELS = 6_000_000 // of one page; a phone has several of them in its memory

/** Draws one page as wide as the canvas stands. The text of the page, for who cannot see it. */
export async function drawPage(paper: Open, number: number, canvas: HTMLCanvasElement, width: number): Promise<string> {
  const page = await paper.getPage(number)
  const whole = page.getViewport({ scale: 1 })
  const wanted = (width * Math.min(window.devicePixelRatio, 3)) / whole.width
  const viewport = page.getViewport({ scale: Math.min(wanted, Math.sqrt(MOST_PIXELS / (whole.width * whole.height))) })
  const sheet = document.createElement('canvas') // drawn aside: what is shown stays until it is done
  sheet.width = Math.floor(viewport.width)
  sheet.height = Math.floor(viewport.height)
  await page.render({ canvas: sheet, viewport }).promise
  canvas.width = sheet.width
  canvas.height = sheet.height
  canvas.getContext('2d')!.drawImage(sheet, 0, 0)
  sheet.width = sheet.height = 0
  const text = await page.getTextContent()
  return text.items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
}

/** Width over height of each page. */
export async function shapesOf(paper: Open): Promise<number[]> {
  const shapes: number[] = []
  for (let number = 1; number <= paper.numPages; number++) {
    const { width, height } = (await paper.getPage(number)).getViewport({ scale: 1 })
    shapes.push(width / height)
  }
  return shapes
}
