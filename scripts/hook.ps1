# Runs one of azd's hooks, by azd or by hand: scripts/hook.ps1 NAME [DEPLOYMENT]. What each does: scripts/hooks/__main__.py.
$ErrorActionPreference = 'Continue'
# How a program ended is looked at below, in the way that every PowerShell 7 knows.
$PSNativeCommandUseErrorActionPreference = $false
$hooks = Join-Path $PSScriptRoot 'hooks'
foreach ($python in 'python3', 'python', 'py') {
  if (-not (Get-Command $python -ErrorAction SilentlyContinue)) { continue }
  & $python -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>$null
  if ($LASTEXITCODE -ne 0) { continue }
  & $python $hooks @args
  exit $LASTEXITCODE
}
Write-Output 'Python 3.9 or later is needed: https://www.python.org/downloads'
exit 1
