#!/usr/bin/env node
console.log("halftone", process.argv.slice(2).join(" "));
