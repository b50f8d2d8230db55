// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "CustomPrimitive",
  dependencies: [.package(name: "ditcache", path: "../..")],
  targets: [
    .executableTarget(
      name: "CustomPrimitive",
      dependencies: [.product(name: "DiTCache", package: "ditcache")])
  ]
)
