// The phone app from phone/ into dist/phone/. The desk will be a second root beside it.
import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { pdfParts } from './build/pdf.ts'
import { serviceWorker } from './build/worker.ts'

const here = import.meta.dirname

export default defineConfig({
  root: resolve(here, 'phone'),
  base: '/phone/',
  publicDir: resolve(here, 'phone/public'),
  plugins: [vue(), pdfParts(), serviceWorker(resolve(here, 'phone/sw.ts'))],
  resolve: { alias: { '@': here } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  worker: { format: 'es' },
  build: {
    outDir: process.env.DUBAN_WEB_OUT ?? resolve(here, 'dist/phone'),
    emptyOutDir: true,
    target: ['es2022', 'safari16', 'chrome100'],
    assetsInlineLimit: 0, // the content policy allows no data: scripts, and a file can be kept
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
  },
  test: { root: here, include: ['**/*.test.ts'], environment: 'node', setupFiles: ['fake-indexeddb/auto'] },
})
