// Beside the pages: what PDF.js asks for when a paper needs it (tables of Chinese fonts, decoders of rarer scans). Under
// its version, so that no phone mixes two.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Plugin } from 'vite'

const FROM = resolve(import.meta.dirname, '../node_modules/pdfjs-dist')

export function pdfParts(): Plugin {
  let out = ''
  return {
    name: 'duban-pdf-parts',
    apply: 'build',
    configResolved(config) {
      out = resolve(config.root, config.build.outDir)
    },
    writeBundle() {
      const { version } = JSON.parse(readFileSync(join(FROM, 'package.json'), 'utf8')) as { version: string }
      const folder = join(out, 'pdf', version)
      mkdirSync(folder, { recursive: true })
      const wanted = { cmaps: /./, wasm: /_nowasm_fallback\.js$/ }
      for (const [from, which] of Object.entries(wanted)) {
        for (const name of readdirSync(join(FROM, from)).filter((name) => which.test(name))) {
          copyFileSync(join(FROM, from, name), join(folder, name))
        }
      }
    },
  }
}
