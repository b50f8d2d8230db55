// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "SwiftHost",
  dependencies: [.package(name: "ditcache", path: "../..")],
  targets: [
    .executableTarget(
      name: "SwiftHost", dependencies: [.product(name: "DiTCache", package: "ditcache")])
  ])
