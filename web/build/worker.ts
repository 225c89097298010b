// Builds the service worker after the pages: one file under its own name, with the list of what the shell is made of.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build, type Plugin } from 'vite'

const SQUEEZED = /\.(js|css|html|svg|json|webmanifest)$/

/** What is kept once somebody asked for it: the readers of papers and of HEIC, each larger than all the rest. */
const LATER = /^(assets\/(pdf|heic-to)[.-]|pdf\/)/

/** Where the build that is in use lies while the next one is made beside it. */
const EARLIER = resolve(import.meta.dirname, '../dist/phone')

/** What a phone keeps from the first load on: everything but source maps, the worker itself and what comes later. */
export function shell(folder: string): string[] {
  return given(folder).filter((name) => !LATER.test(name))
}

/** What it keeps from the first use on. */
export function later(folder: string): string[] {
  return given(folder).filter((name) => LATER.test(name))
}

function given(folder: string): string[] {
  return files(folder)
    .map((path) => relative(folder, path))
    .filter((name) => !/\.(map|gz|br)$/.test(name) && !['sw.js', 'manifest.json', 'version.json'].includes(name))
    .sort()
}

/** Short, and another one whenever a byte of the shell differs. */
export function versionOf(folder: string, names: string[]): string {
  const sum = createHash('sha256')
  for (const name of names) sum.update(name).update(readFileSync(join(folder, name)))
  return sum.digest('hex').slice(0, 10)
}

export function serviceWorker(source: string): Plugin {
  let out = ''
  return {
    name: 'duban-service-worker',
    apply: 'build',
    configResolved(config) {
      out = resolve(config.root, config.build.outDir)
    },
    async writeBundle() {
      const names = shell(out)
      const version = versionOf(out, names)
      await build({
        configFile: false,
        logLevel: 'error',
        publicDir: false,
        resolve: { alias: { '@': resolve(import.meta.dirname, '..') } },
        define: { __SHELL__: JSON.stringify(names), __LATER__: JSON.stringify(later(out)), __VERSION__: JSON.stringify(version) },
        build: {
          outDir: out,
          emptyOutDir: false,
          lib: { entry: source, formats: ['iife'], name: 'worker', fileName: () => 'sw.js' },
        },
      })
      writeFileSync(join(out, 'version.json'), JSON.stringify({ version }))
      squeeze(out)
    },
  }
}

/** Beside each text its gzip and brotli, so that the server only picks. Brotli takes twice as long as all the rest of a
 *  build, and most parts are as they were: theirs are taken from the earlier build. */
function squeeze(folder: string): void {
  for (const path of files(folder).filter((path) => SQUEEZED.test(path))) {
    const bytes = readFileSync(path)
    const before = join(EARLIER, relative(folder, path))
    if (existsSync(before + '.br') && readFileSync(before).equals(bytes)) {
      for (const end of ['.gz', '.br']) copyFileSync(before + end, path + end)
    } else {
      writeFileSync(path + '.gz', gzipSync(bytes, { level: 9 }))
      writeFileSync(path + '.br', brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
    }
  }
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })
}
