// swift-tools-version: 6.3
import PackageDescription

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]
let c: [CSetting] = [
    .define("_GNU_SOURCE"),
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swift)
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: swift)
}
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swift)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "corral",
    products: [
        .executable(name: "corral", targets: ["corral"]),
        .executable(name: "corrald", targets: ["corrald"]),
        .executable(name: "corral-broker", targets: ["corral-broker"]),
        .executable(name: "corral-egress", targets: ["corral-egress"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // The fences: C, and the system's libraries.
        .target(name: "CKernel", cSettings: c),
        .target(name: "CLaunch", cSettings: c),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // Pure: values in, values out.
        library("YAML", ["CYAML"]),
        library("NetworkRules"),
        library("Policy", ["YAML", "NetworkRules"]),
        library("RunCards", ["YAML", "Policy", "NetworkRules"]),
        library("JSONRPC"),
        library("MCP", ["JSONRPC"]),
        library("Control", ["JSONRPC", "NetworkRules"]),
        library("SupervisorProtocol", ["NetworkRules"]),
        library("Wire"),

        // Effects.
        library("Kernel", ["CKernel"]),
        library("Configuration", ["Kernel", "Policy", "RunCards", "YAML"]),
        library("Sandbox", ["Kernel", "CKernel", "CLaunch", "CSeccomp", "Policy"]),
        library("Store", ["CSQLite"]),
        library("Egress", ["Kernel", "NetworkRules", "SupervisorProtocol", "Wire"]),
        library(
            "Supervisor",
            [
                "Kernel", "Sandbox", "Policy", "RunCards", "Configuration", "SupervisorProtocol",
                "NetworkRules", "YAML",
            ]),
        library(
            "Broker",
            [
                "JSONRPC", "MCP", "Control", "Policy", "RunCards", "YAML", "Configuration", "Store",
                "Kernel", "NetworkRules", "SupervisorProtocol", nioCore, nioPosix, logging,
            ]),

        // Programs. corral-launch is C only and linked statically by the Makefile.
        program("corrald", ["Supervisor", "Configuration", "Kernel", "YAML"]),
        program("corral-egress", ["Egress", "Kernel"]),
        program("corral-broker", ["Broker", "Configuration", "Kernel", "Store", logging]),
        program(
            "corral",
            [
                "Control", "JSONRPC", "Kernel", "Configuration", "Policy", "RunCards",
                "SupervisorProtocol", "NetworkRules", "YAML", argumentParser,
            ]),

        // Tests: one target per source target, then whole programs, then the style.
        tests("KernelTests", ["Kernel", "CKernel"]),
        tests("YAMLTests", ["YAML"]),
        tests("PolicyTests", ["Policy", "NetworkRules", "YAML"]),
        tests("RunCardsTests", ["RunCards", "Policy", "NetworkRules", "YAML"]),
        tests("JSONRPCTests", ["JSONRPC"]),
        tests("MCPTests", ["MCP", "JSONRPC"]),
        tests("ControlTests", ["Control", "JSONRPC"]),
        tests("NetworkRulesTests", ["NetworkRules"]),
        tests("SupervisorProtocolTests", ["SupervisorProtocol", "NetworkRules"]),
        tests("WireTests", ["Wire"]),
        .testTarget(
            name: "EgressTests",
            dependencies: [
                "Egress", "Kernel", "NetworkRules", "Policy", "Sandbox", "SupervisorProtocol",
                "Wire",
            ], exclude: ["Servers"], swiftSettings: swift),
        tests(
            "ConfigurationTests",
            ["Configuration", "Kernel", "NetworkRules", "Policy", "RunCards"]),
        tests("SandboxTests", ["Sandbox", "Kernel", "CKernel", "CLaunch", "Policy", "YAML"]),
        tests("StoreTests", ["Store"]),
        tests(
            "SupervisorTests",
            [
                "Supervisor", "SupervisorProtocol", "Configuration", "Kernel", "NetworkRules",
                "Policy", "RunCards", "Sandbox",
            ]),
        tests(
            "BrokerTests",
            [
                "Broker", "JSONRPC", "MCP", "Control", "Policy", "RunCards", "Configuration",
                "Store", "SupervisorProtocol", "Kernel", "NetworkRules", nioCore, nioPosix,
            ]),
        tests(
            "CommandTests",
            ["corral", "Configuration", "Control", "JSONRPC", "Kernel", "Policy", argumentParser]),
        .testTarget(
            name: "IntegrationTests", dependencies: ["JSONRPC", "Kernel"],
            exclude: ["Clients", "Servers"], swiftSettings: swift),
        tests("TidyTests", []),
    ]
)
